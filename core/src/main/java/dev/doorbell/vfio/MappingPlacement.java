package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.IntervalSet;
import dev.doorbell.address.Iova;
import java.util.List;

/// Where a buffer is mapped whose user does not mind: at the lowest IOVAs that are free.
public final class MappingPlacement {
  /// Buffers as large are aligned to the block that an IOMMU's tables may take for them.
  private static final Granule BLOCK = new Granule(21);

  private MappingPlacement() {}

  /// {@return the lowest place that is clear of other mappings}
  ///
  /// @param container its name
  /// @param ranges IOVAs that can be mapped, ascending
  /// @param mapped IOVAs that are
  /// @param bytes of the buffer
  /// @throws NoPlaceForMapping when no gap is as long
  public static Iova lowest(
      String container,
      List<AddressRange> ranges,
      List<AddressRange> mapped,
      Granule granule,
      long bytes) {
    Granule alignment = bytes >= BLOCK.bytes() && granule.shift() < BLOCK.shift() ? BLOCK : granule;
    IntervalSet taken = IntervalSet.copyOf(mapped);
    long largest = 0;
    for (AddressRange range : ranges) {
      for (AddressRange gap : taken.gaps(range)) {
        long start = alignment.isAligned(gap.start()) ? gap.start() : next(alignment, gap.start());
        if (!gap.contains(start)) {
          continue;
        }
        // As last - start, so that a gap up to the last address of all is no overflow.
        if (Long.compareUnsigned(gap.last() - start, bytes - 1) >= 0) {
          return new Iova(start);
        }
        largest = Math.max(largest, gap.last() - start + 1);
      }
    }
    throw new NoPlaceForMapping(container, bytes, alignment, largest);
  }

  /// 0 past the last one of all, which no gap before it contains.
  private static long next(Granule alignment, long address) {
    return alignment.alignDown(address) + alignment.bytes();
  }
}
