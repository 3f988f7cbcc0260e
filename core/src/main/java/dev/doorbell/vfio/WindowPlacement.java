package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.IntervalSet;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.ReservedRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Where the automatic MSI window goes: where firmware or Linux would have it when that is free, else the lowest free place.
///
/// **Source**: Linux `MSI_IOVA_BASE` 0x8000000 and `MSI_IOVA_LENGTH` 0x100000 (`drivers/iommu/arm/arm-smmu-v3`); 0xa0000000 is the
/// second candidate of the patches of 2025 that select one.
final class WindowPlacement {
  private static final long USUAL_BYTES = 0x10_0000;
  private static final long[] USUAL_STARTS = {0x800_0000L, 0xa000_0000L};
  private static final AddressRange BELOW_4G = new AddressRange(USUAL_BYTES, 0xffff_ffffL);

  private WindowPlacement() {}

  /// {@return a range that is clear of everything}
  ///
  /// @param peers PCI addresses where others than the IOMMU may answer
  /// @param pages of doorbells, above 0
  /// @throws NoPlaceForWindow when there is none below 4 GiB
  static AddressRange place(String container, Domain domain, List<AddressRange> peers, long pages) {
    long spacing = pages == 1 ? domain.granule().bytes() : domain.placing(USUAL_STARTS[0]);
    long needed = pages * spacing;
    List<AddressRange> free = free(domain, peers);
    long usual = Math.max(USUAL_BYTES, Math.ceilDiv(needed, USUAL_BYTES) * USUAL_BYTES);
    return domain.groups().stream()
        .flatMap(g -> g.reserved().stream())
        .filter(r -> r.kind() == ReservedRegion.Kind.SW_MSI)
        .map(ReservedRegion::range)
        .filter(r -> Long.compareUnsigned(r.bytes(), needed) >= 0 && isFree(r, free))
        .findFirst()
        .or(() -> place(usual, USUAL_BYTES, free))
        .or(() -> smaller(needed, domain.granule().bytes(), free))
        .orElseThrow(() ->
            new NoPlaceForWindow(
                container,
                Figure.bytes(needed),
                Figure.bytes(largest(domain.granule().bytes(), free)),
                free));
  }

  /// A crowded space may have no whole MiB left, and doorbells need less.
  private static Optional<AddressRange> smaller(
      long needed, long granule, List<AddressRange> free) {
    long least = Long.highestOneBit(Math.max(needed, granule) * 2 - 1);
    for (long bytes = USUAL_BYTES >>> 1; bytes >= least; bytes >>>= 1) {
      Optional<AddressRange> at = place(bytes, bytes, free);
      if (at.isPresent()) {
        return at;
      }
    }
    return Optional.empty();
  }

  /// {@return the largest power of two that is free, aligned to itself; 0 when there is not even a granule}
  private static long largest(long granule, List<AddressRange> free) {
    for (long bytes = Long.highestOneBit(BELOW_4G.last()); bytes >= granule; bytes >>>= 1) {
      if (place(bytes, bytes, free).isPresent()) {
        return bytes;
      }
    }
    return 0;
  }

  private static Optional<AddressRange> place(long bytes, long alignment, List<AddressRange> free) {
    List<AddressRange> candidates = new ArrayList<>();
    for (long start : USUAL_STARTS) {
      candidates.add(AddressRange.ofSize(start, bytes));
    }
    for (AddressRange f : free) {
      f.intersection(BELOW_4G)
          .map(r -> Math.ceilDiv(r.start(), alignment) * alignment)
          .ifPresent(start -> candidates.add(AddressRange.ofSize(start, bytes)));
    }
    return candidates.stream().filter(c -> isFree(c, free)).findFirst();
  }

  private static boolean isFree(AddressRange at, List<AddressRange> free) {
    return BELOW_4G.contains(at) && free.stream().anyMatch(f -> f.contains(at));
  }

  private static List<AddressRange> free(Domain domain, List<AddressRange> peers) {
    IntervalSet taken = IntervalSet.copyOf(peers);
    domain.mappings().forEach(m -> taken.add(m.iovas()));
    return domain.iovaRanges().stream().flatMap(r -> taken.gaps(r).stream()).toList();
  }
}
