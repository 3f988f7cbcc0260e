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
/// @param bytes size of the window: pages × granule
/// @param alignmentOrder log2 of what the window's start must be a multiple of, in bytes
public record MsiRequirement(
    Granule granule,
    List<DoorbellFrame> doorbells,
    List<DoorbellFrame> sharing,
    long bytes,
    int alignmentOrder) {
  public MsiRequirement {
    doorbells = List.copyOf(doorbells);
    sharing = List.copyOf(sharing);
  }

  /// {@return what some doorbells need in pages of a granule}
  public static MsiRequirement of(Granule granule, Collection<DoorbellFrame> frames) {
    Map<Pa, DoorbellFrame> byPage = new LinkedHashMap<>();
    for (DoorbellFrame f : frames) {
      byPage.putIfAbsent(new Pa(granule.alignDown(f.doorbell().value())), f);
    }
    return new MsiRequirement(
        granule,
        List.copyOf(byPage.values()),
        List.copyOf(frames),
        byPage.size() * granule.bytes(),
        granule.shift());
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
