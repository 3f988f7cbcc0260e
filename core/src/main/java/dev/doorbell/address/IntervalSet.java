package dev.doorbell.address;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/// A set of unsigned 64-bit addresses, kept as disjoint inclusive ranges that do not touch, sorted. Correct up to the
/// last address, and for the whole space.
///
/// **Threads** none: callers lock. An iterator is good until the next change.
public final class IntervalSet implements Iterable<AddressRange> {
  private enum Member {
    YES
  }

  private final IntervalMap<Member> ranges = new IntervalMap<>();

  /// {@return a set of ranges, which may overlap}
  public static IntervalSet of(AddressRange... ranges) {
    return copyOf(List.of(ranges));
  }

  /// {@return a set of ranges, which may overlap}
  public static IntervalSet copyOf(Iterable<AddressRange> ranges) {
    IntervalSet set = new IntervalSet();
    ranges.forEach(set::add);
    return set;
  }

  public boolean isEmpty() {
    return ranges.isEmpty();
  }

  /// {@return number of ranges, the fewest that describe the set}
  public int size() {
    return ranges.size();
  }

  /// Adds addresses; what is there already is passed over.
  public void add(AddressRange range) {
    // Ranges that only touch are joined as well, so the search reaches one address further on both
    // sides.
    long start = range.start();
    long last = range.last();
    AddressRange reach =
        new AddressRange(start == 0 ? start : start - 1, last == -1L ? last : last + 1);
    List<IntervalMap.Entry<Member>> touched = ranges.overlapping(reach);
    for (IntervalMap.Entry<Member> e : touched) {
      start = lower(start, e.range().start());
      last = higher(last, e.range().last());
      ranges.removeExact(e.range());
    }
    ranges.insert(new AddressRange(start, last), Member.YES);
  }

  /// Removes addresses; what is not there is passed over.
  public void remove(AddressRange range) {
    ranges.remove(range, (value, _, _) -> value);
  }

  public boolean contains(long address) {
    return ranges.find(address).isPresent();
  }

  /// {@return whether every address of a range is in the set}
  public boolean contains(AddressRange range) {
    return ranges.find(range.start()).filter(e -> e.range().contains(range)).isPresent();
  }

  /// {@return whether any address of a range is in the set}
  public boolean overlaps(AddressRange range) {
    return ranges.overlaps(range);
  }

  /// {@return the lowest range of the set that shares an address with a range, whole}
  public Optional<AddressRange> firstOverlap(AddressRange range) {
    return ranges.firstOverlap(range).map(IntervalMap.Entry::range);
  }

  /// {@return the ranges of the set that share an address with a range, whole, ascending}
  public List<AddressRange> overlapping(AddressRange range) {
    return ranges.overlapping(range).stream().map(IntervalMap.Entry::range).toList();
  }

  /// {@return the parts of a range that are not in the set, ascending}
  public List<AddressRange> gaps(AddressRange within) {
    List<AddressRange> gaps = new ArrayList<>();
    long next = within.start();
    for (IntervalMap.Entry<Member> e : ranges.overlapping(within)) {
      if (Long.compareUnsigned(e.range().start(), next) > 0) {
        gaps.add(new AddressRange(next, e.range().start() - 1));
      }
      if (Long.compareUnsigned(e.range().last(), within.last()) >= 0) {
        return gaps;
      }
      next = e.range().last() + 1;
    }
    gaps.add(new AddressRange(next, within.last()));
    return gaps;
  }

  /// {@return the ranges, ascending; later changes do not show}
  public List<AddressRange> ranges() {
    List<AddressRange> all = new ArrayList<>(size());
    forEach(all::add);
    return List.copyOf(all);
  }

  @Override
  public Iterator<AddressRange> iterator() {
    Iterator<IntervalMap.Entry<Member>> entries = ranges.iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public AddressRange next() {
        return entries.next().range();
      }
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IntervalSet set && ranges().equals(set.ranges());
  }

  @Override
  public int hashCode() {
    return ranges().hashCode();
  }

  @Override
  public String toString() {
    return ranges().toString();
  }

  private static long lower(long a, long b) {
    return Long.compareUnsigned(a, b) <= 0 ? a : b;
  }

  private static long higher(long a, long b) {
    return Long.compareUnsigned(a, b) >= 0 ? a : b;
  }
}
