package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What entries of tables once held and may still be used as, since nothing that covers them was invalidated.
///
/// A translation is kept under the domain that its device's entry names; so an old entry of a device counts until it is itself invalidated and then
/// what was kept under its domain.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 6.2 (caches), 6.5; 48882 revision 3.09, 2.4 (commands).
final class IommuEntries {
  private final ComparedIommu iommu;
  private final Map<Long, List<Old>> old = new HashMap<>();
  private final List<Dropped> dropped = new ArrayList<>();
  private int now;

  /// What an entry held.
  ///
  /// @param until when something else was written
  private record Old(long[] words, int until) {}

  private record Dropped(ComparedIommu.Drop drop, int when) {}

  IommuEntries(ComparedIommu iommu) {
    this.iommu = iommu;
  }

  /// Sees a run of memory before it is written.
  void written(PhysicalMemory memory, long address, long bytes) {
    now++;
    long at = address;
    while (at < address + bytes) {
      var kind = iommu.kind(at);
      int size = kind.map(iommu::bytes).orElse(Long.BYTES);
      if (kind.isPresent()) {
        long start = at & -size;
        old.computeIfAbsent(start, _ -> new ArrayList<>())
            .add(new Old(words(memory, start, size), now));
      }
      at = (at & -size) + size;
    }
  }

  private static long[] words(PhysicalMemory memory, long at, int bytes) {
    long[] out = new long[bytes / Long.BYTES];
    Arrays.setAll(out, i -> memory.read64(at + (long) i * Long.BYTES));
    return out;
  }

  /// Sees a command that was carried out.
  void carriedOut(List<Long> command) {
    now++;
    iommu.drops(command).forEach(d -> dropped.add(new Dropped(d, now)));
  }

  /// {@return what the entry at an address may be used as: as it is, and as it was}
  ///
  /// @param start of the entry
  /// @param domain of the access; asked for only where it matters
  List<long[]> permitted(
      PhysicalMemory memory,
      long start,
      ComparedIommu.Kind kind,
      Attempt access,
      java.util.function.IntSupplier domain) {
    List<long[]> out = new ArrayList<>();
    out.add(words(memory, start, iommu.bytes(kind)));
    for (Old o : old.getOrDefault(start, List.of())) {
      boolean known = out.stream().anyMatch(w -> Arrays.equals(w, o.words));
      if (!known && !gone(o, start, kind, access, domain)) {
        out.add(o.words);
      }
    }
    return out;
  }

  private boolean gone(
      Old o,
      long start,
      ComparedIommu.Kind kind,
      Attempt access,
      java.util.function.IntSupplier domain) {
    return switch (kind) {
      case DEVICE -> {
        int entry =
            firstSince(o.until, ComparedIommu.Kind.DEVICE, access, iommu.domain(start, o.words));
        ComparedIommu.Kind behind =
            iommu.isMessage(access.address())
                ? ComparedIommu.Kind.INTERRUPT
                : ComparedIommu.Kind.PAGE;
        yield entry >= 0 && firstSince(entry, behind, access, domain.getAsInt()) >= 0;
      }
      case PAGE, GUEST_PAGE -> firstSince(o.until, kind, access, domain.getAsInt()) >= 0;
      case INTERRUPT -> interruptSince(o.until, access, start);
    };
  }

  private boolean interruptSince(int when, Attempt access, long start) {
    return dropped.stream()
        .anyMatch(d ->
            d.when >= when
                && d.drop.kind() == ComparedIommu.Kind.INTERRUPT
                && (d.drop.requester() < 0 || d.drop.requester() == access.requester())
                && within(d.drop, start));
  }

  /// {@return when something was first invalidated that covers an access; -1 for never}
  private int firstSince(int when, ComparedIommu.Kind kind, Attempt access, int domain) {
    for (Dropped d : dropped) {
      ComparedIommu.Drop drop = d.drop;
      boolean covers =
          drop.kind() == kind
              && (drop.requester() < 0 || drop.requester() == access.requester())
              && (drop.domain() < 0 || drop.domain() == domain)
              && (kind != ComparedIommu.Kind.PAGE || within(drop, access.address()));
      if (d.when >= when && covers) {
        return d.when;
      }
    }
    return -1;
  }

  private static boolean within(ComparedIommu.Drop drop, long address) {
    return Long.compareUnsigned(drop.first(), address) <= 0
        && Long.compareUnsigned(address, drop.last()) <= 0;
  }
}
