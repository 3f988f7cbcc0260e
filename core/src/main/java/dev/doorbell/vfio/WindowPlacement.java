package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.Mapping;
import dev.doorbell.iommu.ReservedRegion;
import java.util.ArrayList;
import java.util.List;

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
  /// @param needed bytes that doorbells may take
  /// @throws NoPlaceForWindow when there is none below 4 GiB
  static AddressRange place(String container, Domain domain, long needed) {
    List<AddressRange> free = free(domain);
    long bytes = Math.max(USUAL_BYTES, Math.ceilDiv(needed, USUAL_BYTES) * USUAL_BYTES);
    List<AddressRange> candidates = new ArrayList<>();
    domain.groups().stream()
        .flatMap(g -> g.reserved().stream())
        .filter(r -> r.kind() == ReservedRegion.Kind.SW_MSI)
        .map(ReservedRegion::range)
        .filter(r -> Long.compareUnsigned(r.bytes(), needed) >= 0)
        .forEach(candidates::add);
    for (long start : USUAL_STARTS) {
      candidates.add(AddressRange.ofSize(start, bytes));
    }
    for (AddressRange f : free) {
      f.intersection(BELOW_4G)
          .map(r -> Math.ceilDiv(r.start(), USUAL_BYTES) * USUAL_BYTES)
          .ifPresent(start -> candidates.add(AddressRange.ofSize(start, bytes)));
    }
    return candidates.stream()
        .filter(c -> BELOW_4G.contains(c) && free.stream().anyMatch(f -> f.contains(c)))
        .findFirst()
        .orElseThrow(() -> new NoPlaceForWindow(container, bytes, free));
  }

  private static List<AddressRange> free(Domain domain) {
    List<AddressRange> out = new ArrayList<>();
    List<Mapping> mappings = domain.mappings();
    for (AddressRange r : domain.iovaRanges()) {
      long at = r.start();
      boolean more = true;
      for (Mapping m : mappings) {
        if (!more || !r.contains(m.iovas().start())) {
          continue;
        }
        if (m.iovas().start() != at) {
          out.add(new AddressRange(at, m.iovas().start() - 1));
        }
        more = m.iovas().last() != r.last();
        at = m.iovas().last() + 1;
      }
      if (more) {
        out.add(new AddressRange(at, r.last()));
      }
    }
    return out;
  }
}
