package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.IntervalSet;
import java.util.List;

/// What an {@link IovaAllocator} never hands out, in whole granules.
///
/// **Threads** changed by whoever has shut the {@link Stripes} out, read by whoever has claimed one.
final class ReservedRanges {
  private final Granule granule;
  private final IntervalSet set = new IntervalSet();
  // The set's granules as plain arrays, so that a free asks it without making objects.
  private long[] starts = {};
  private long[] lasts = {};

  ReservedRanges(Granule granule) {
    this.granule = granule;
  }

  void add(List<AddressRange> ranges) {
    ranges.forEach(set::add);
    starts = set.ranges().stream().mapToLong(r -> r.start() >>> granule.shift()).toArray();
    lasts = set.ranges().stream().mapToLong(r -> r.last() >>> granule.shift()).toArray();
  }

  List<AddressRange> ranges() {
    return set.ranges();
  }

  List<AddressRange> gaps(AddressRange within) {
    return set.gaps(within);
  }

  /// {@return the reserved range that is the first to overlap another, which it stands for when there is none}
  AddressRange overlapping(AddressRange range) {
    return set.firstOverlap(range).orElse(range);
  }

  /// {@return whether a granule is reserved}
  boolean holds(long number) {
    for (int low = 0, high = starts.length - 1; low <= high; ) {
      int mid = (low + high) >>> 1;
      if (number < starts[mid]) {
        high = mid - 1;
      } else if (number > lasts[mid]) {
        low = mid + 1;
      } else {
        return true;
      }
    }
    return false;
  }
}
