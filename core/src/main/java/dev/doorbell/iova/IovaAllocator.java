package dev.doorbell.iova;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Hands out ranges of I/O virtual addresses: lowest first, aligned, below a limit, clear of reserved ranges.
///
/// **Lowest first** is what a thread sees that alone takes and gives back. Threads that take single granules, at the same time or in turn, do so from
/// 4,096 neighbours each, where the space is wide enough for that; a lower granule that another thread keeps at hand, or gave back, may then be passed
/// over. Whether a request is granted does not depend on it, nor whether it lies below 4 GiB.
///
/// **Rule of granting** a request of *n* granules aligned to *a* is granted when there is a free aligned block of 2^k granules,
/// the smallest power of two not below either, that starts in the request's range and whose first *n* granules end in it; it takes only
/// these *n*. So powers of two that are aligned to their size are refused only when there truly is no room; see the
/// decision on the allocator for why others may be refused earlier.
///
/// **Cost** single granules taken, and ranges within 64 granules given back, cost one atomic operation and a look at one node of a {@link GranuleTree}
/// mostly; other requests and refusals one lock that all threads share, and two nodes a level. Nothing is allocated on the heap once the
/// structure has been as large as it needs to be, except by the record-typed methods, for their results.
///
/// **Threads** safe for use from many.
public final class IovaAllocator {
  /// What {@link #take(IovaRequest)} answers when there is no room; no granule starts there.
  public static final long NONE = -1;

  private final Granule granule;
  private final AddressRange aperture;
  private final GranuleTree tree;
  private final TakenGranules taken;
  // Whoever has its monitor closes them: then the tree, the reserved ranges and the counts are its
  // own.
  private final Stripes stripes;
  private final ReservedRanges reserved;

  /// @param aperture what can be mapped; cut to whole granules
  /// @throws IllegalArgumentException when the aperture holds no whole granule
  public IovaAllocator(Granule granule, AddressRange aperture) {
    this.granule = granule;
    long first = firstWhole(aperture.start());
    long last = lastWhole(aperture.last());
    if (first > last) {
      throw new IllegalArgumentException(
          "aperture %s holds no whole granule of %s".formatted(aperture, granule));
    }
    this.aperture = new AddressRange(first << granule.shift(), lastByte(last));
    this.tree = new GranuleTree(last + 1);
    this.taken = tree.taken();
    this.reserved = new ReservedRanges(granule);
    this.stripes = new Stripes(tree, reserved);
    if (first > 0) {
      tree.take(0, first - 1);
    }
    if (last + 1 < tree.capacity()) {
      tree.take(last + 1, tree.capacity() - 1);
    }
  }

  public Granule granule() {
    return granule;
  }

  /// {@return the addresses this allocator governs, whole granules}
  public AddressRange aperture() {
    return aperture;
  }

  /// Allocates a range.
  ///
  /// {@return its addresses: the request's bytes, rounded up to granules}
  ///
  /// @throws IovaExhausted when there is no room; nothing is changed then
  public AddressRange allocate(IovaRequest request) {
    return tryAllocate(request).orElseThrow(() -> exhausted(request));
  }

  /// {@return the addresses of a new range, or nothing when there is no room}
  public Optional<AddressRange> tryAllocate(IovaRequest request) {
    long start = take(request);
    return start == NONE
        ? Optional.empty()
        : Optional.of(
            new AddressRange(start, lastByte((start >>> granule.shift()) + granules(request) - 1)));
  }

  /// Allocates a range without making an object of it: for callers that map on every I/O.
  ///
  /// {@return its first address, or {@link #NONE}}
  public long take(IovaRequest request) {
    long count = granules(request);
    int order = order(request, count);
    AddressRange within = request.within();
    AddressRange sought = request.preferred().overlaps(aperture) ? request.preferred() : within;
    if (order == 0) {
      long start = stripes.take(firstWhole(sought.start()), lastWhole(sought.last()));
      if (start != NONE) {
        return start << granule.shift();
      }
    }
    synchronized (stripes) {
      Stripe mine = stripes.closeAll();
      try {
        long start = place(mine, order, count, sought);
        if (start == NONE && sought != within) {
          start = place(mine, order, count, within);
        }
        return start == NONE ? NONE : start << granule.shift();
      } finally {
        stripes.openAll();
      }
    }
  }

  /// Allocates exactly these addresses.
  ///
  /// @throws IovaTaken when part of them is allocated or reserved; nothing is changed then
  /// @throws IllegalArgumentException when they are not whole granules of the aperture
  public void allocateAt(AddressRange range) {
    requireGranules(range, "allocate");
    long first = range.start() >>> granule.shift();
    long last = range.last() >>> granule.shift();
    synchronized (stripes) {
      Stripe mine = stripes.closeAll();
      try {
        requireFree(range, first, last);
        tree.take(first, last);
        mine.granules += last - first + 1;
        mine.ranges++;
      } finally {
        stripes.openAll();
      }
    }
  }

  /// Keeps addresses from being allocated; granules that are touched are kept whole. What lies outside the aperture, or is
  /// reserved already, is passed over.
  ///
  /// @throws IovaTaken when part of them is allocated; nothing is changed then
  public void reserve(AddressRange range) {
    AddressRange whole =
        new AddressRange(granule.alignDown(range.start()), range.last() | (granule.bytes() - 1));
    Optional<AddressRange> inside = whole.intersection(aperture);
    if (inside.isEmpty()) {
      return;
    }
    synchronized (stripes) {
      stripes.closeAll();
      try {
        reserveGaps(range, reserved.gaps(inside.get()));
      } finally {
        stripes.openAll();
      }
    }
  }

  private void reserveGaps(AddressRange asked, List<AddressRange> gaps) {
    for (AddressRange gap : gaps) {
      requireFree(asked, gap.start() >>> granule.shift(), gap.last() >>> granule.shift());
    }
    for (AddressRange gap : gaps) {
      tree.take(gap.start() >>> granule.shift(), gap.last() >>> granule.shift());
    }
    reserved.add(gaps);
  }

  /// Gives a range back.
  ///
  /// @throws WrongFree when it is not an allocated range, whole; nothing is changed then
  public void free(AddressRange range) {
    synchronized (stripes) {
      Stripe mine = stripes.closeAll();
      try {
        long count = countAt(range.start());
        if (count == 0 || count << granule.shift() != range.bytes()) {
          throw new WrongFree(range, found(range.start()));
        }
        stripes.giveWhole(mine, range.start() >>> granule.shift());
      } finally {
        stripes.openAll();
      }
    }
  }

  /// Gives the range back that starts at an address.
  ///
  /// {@return its bytes; 0 stands for 2^64}
  ///
  /// @throws WrongFree when none starts there; nothing is changed then
  public long free(Iova start) {
    return give(start.value());
  }

  /// {@link #free(Iova)} without an object.
  public long give(long start) {
    boolean whole = granule.isAligned(start) && aperture.contains(start);
    int small = whole ? stripes.give(start >>> granule.shift()) : 0;
    if (small != 0) {
      return (long) small << granule.shift();
    }
    synchronized (stripes) {
      Stripe mine = stripes.closeAll();
      try {
        long count = mayStart(start) ? stripes.giveWhole(mine, start >>> granule.shift()) : 0;
        if (count == 0) {
          throw new WrongFree(new AddressRange(start, start), found(start));
        }
        return count << granule.shift();
      } finally {
        stripes.openAll();
      }
    }
  }

  /// {@return the allocated range that holds an address}
  public Optional<AddressRange> rangeAt(Iova address) {
    if (!aperture.contains(address.value())) {
      return Optional.empty();
    }
    return alone(() -> {
      long at = address.value() >>> granule.shift();
      return taken.used(at) != at || isReserved(address.value())
          ? Optional.empty()
          : Optional.of(rangeOf(at));
    });
  }

  /// {@return all allocated ranges, ascending; for reports and for finding leaks}
  public List<AddressRange> allocated() {
    return alone(this::ranges);
  }

  private List<AddressRange> ranges() {
    List<AddressRange> all = new ArrayList<>();
    long end = (aperture.last() >>> granule.shift()) + 1;
    long at = taken.used(aperture.start() >>> granule.shift());
    while (at < end) {
      AddressRange range = rangeOf(at);
      if (!isReserved(range.start())) {
        all.add(range);
      }
      at = taken.used((range.last() >>> granule.shift()) + 1);
    }
    return List.copyOf(all);
  }

  /// {@return reserved ranges within the aperture, whole granules, ascending}
  public List<AddressRange> reserved() {
    return alone(reserved::ranges);
  }

  /// {@return bytes allocated and not freed}
  public long bytesInUse() {
    return alone(stripes::granules) << granule.shift();
  }

  /// {@return ranges allocated and not freed}
  public long rangesInUse() {
    return alone(stripes::ranges);
  }

  private <T> T alone(Supplier<T> look) {
    synchronized (stripes) {
      stripes.closeAll();
      try {
        return look.get();
      } finally {
        stripes.openAll();
      }
    }
  }

  private long place(Stripe mine, int order, long count, AddressRange within) {
    long first = firstWhole(within.start());
    long last = lastWhole(within.last());
    long start =
        order == 0
            ? stripes.takeSingle(mine, first, last)
            : tree.takeLowest(order, count, first, last);
    if (start == GranuleTree.NONE) {
      return NONE;
    }
    mine.granules += count;
    mine.ranges++;
    mine.singles = count == 1;
    if (!mine.singles) {
      mine.shut();
    }
    return start;
  }

  /// {@return granules of the allocated range that starts at an address, or 0 when none does}
  private long countAt(long start) {
    long at = start >>> granule.shift();
    return mayStart(start) && taken.starts(at) ? taken.boundary(at + 1) - at : 0;
  }

  private boolean mayStart(long address) {
    return granule.isAligned(address) && aperture.contains(address) && !isReserved(address);
  }

  private boolean isReserved(long address) {
    return reserved.holds(address >>> granule.shift());
  }

  private AddressRange rangeOf(long usedGranule) {
    long first = taken.startOf(usedGranule);
    return new AddressRange(
        first << granule.shift(), lastByte(taken.boundary(usedGranule + 1) - 1));
  }

  private void requireFree(AddressRange wanted, long first, long last) {
    long used = taken.used(first);
    if (used <= last) {
      AddressRange other = rangeOf(used);
      boolean isReserved = isReserved(other.start());
      throw new IovaTaken(wanted, isReserved ? reserved.overlapping(other) : other, isReserved);
    }
  }

  private void requireGranules(AddressRange range, String what) {
    if (!granule.isAligned(range.start())
        || !granule.isAligned(range.last() + 1)
        || !aperture.contains(range)) {
      throw new IllegalArgumentException(
          "cannot %s %s: not whole granules of %s within aperture %s"
              .formatted(what, range, granule, aperture));
    }
  }

  private String found(long start) {
    if (!aperture.contains(start)) {
      return "it lies outside the aperture " + aperture;
    }
    long at = start >>> granule.shift();
    if (taken.used(at) != at) {
      return "nothing is allocated there";
    }
    if (isReserved(start)) {
      return "it is reserved";
    }
    return "the range allocated there is " + rangeOf(at);
  }

  private IovaExhausted exhausted(IovaRequest request) {
    int order = order(request, granules(request));
    long first = firstWhole(request.within().start());
    long last = lastWhole(request.within().last());
    long available = alone(() -> largestFree(first, last)) << granule.shift();
    AddressRange where = request.within().intersection(aperture).orElse(request.within());
    return new IovaExhausted(request, where, 1L << order << granule.shift(), available);
  }

  /// {@return granules of the largest block that a request in a range could have}
  private long largestFree(long first, long last) {
    long available = 0;
    for (int k = 0; k < Long.SIZE - 1 - granule.shift() && first <= last; k++) {
      long start = tree.find(k, first);
      if (start == GranuleTree.NONE || (1L << k) - 1 > last - start) {
        break;
      }
      available = 1L << k;
    }
    return available;
  }

  private long granules(IovaRequest request) {
    return ((request.bytes() - 1) >>> granule.shift()) + 1;
  }

  /// {@return log2 of the granules of the block that a request needs}
  private int order(IovaRequest request, long count) {
    long block = Math.max(count, request.alignment() >>> granule.shift());
    return block <= 1 ? 0 : Long.SIZE - Long.numberOfLeadingZeros(block - 1);
  }

  /// {@return the first granule that starts at or above an address}
  private long firstWhole(long address) {
    return (address >>> granule.shift()) + (granule.isAligned(address) ? 0 : 1);
  }

  /// {@return the last granule that ends at or below an address, -1 when none does}
  private long lastWhole(long address) {
    return (address >>> granule.shift()) - (granule.isAligned(address + 1) ? 0 : 1);
  }

  private long lastByte(long granuleNumber) {
    return (granuleNumber << granule.shift()) | (granule.bytes() - 1);
  }
}
