package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The MSI window that a set of doorbells needs (R3). Known before any memory is mapped.
///
/// @param granule size of a page
/// @param doorbells one per page, in the order given; doorbells that share a page are counted once
/// @param sharing doorbells that were given, those that share a page included
/// @param bytes size of the window: pages × granule, or more where pages must lie apart ({@link AddressSpace#placing})
/// @param alignmentOrder log2 of what the window's start must be a multiple of, in bytes, and of how far apart pages lie
public record MsiRequirement(
    Granule granule,
    List<DoorbellFrame> doorbells,
    List<DoorbellFrame> sharing,
    long bytes,
    int alignmentOrder) {
  /// Where Linux has its window (`MSI_IOVA_BASE`).
  static final long USUAL_START = 0x800_0000L;

  public MsiRequirement {
    doorbells = List.copyOf(doorbells);
    sharing = List.copyOf(sharing);
  }

  /// {@return what some doorbells need in pages of a granule, side by side}
  public static MsiRequirement of(Granule granule, Collection<DoorbellFrame> frames) {
    return of(granule, frames, granule.bytes());
  }

  /// {@return what some doorbells need}
  ///
  /// @param spacing what each page starts at a multiple of, a power of two in bytes
  static MsiRequirement of(Granule granule, Collection<DoorbellFrame> frames, long spacing) {
    Map<Pa, DoorbellFrame> byPage = new LinkedHashMap<>();
    for (DoorbellFrame f : frames) {
      byPage.putIfAbsent(new Pa(granule.alignDown(f.doorbell().value())), f);
    }
    return new MsiRequirement(
        granule,
        List.copyOf(byPage.values()),
        List.copyOf(frames),
        byPage.isEmpty() ? 0 : (byPage.size() - 1) * spacing + granule.bytes(),
        Long.numberOfTrailingZeros(spacing));
  }

  /// {@return pages of the window}
  public int pages() {
    return doorbells.size();
  }

  /// {@return doorbells whose page reaches beyond their frame (R5)}
  public List<DoorbellFrame> exposingNeighbours() {
    return sharing.stream().filter(f -> !f.frame().contains(page(granule, f))).toList();
  }

  static AddressRange page(Granule granule, DoorbellFrame frame) {
    return AddressRange.ofSize(granule.alignDown(frame.doorbell().value()), granule.bytes());
  }
}
