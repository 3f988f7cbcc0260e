package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Mappings cannot lie together in the few windows of equal size that an IOMMU has (R25).
public final class WindowsDoNotFit extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param mapping the one that is asked for
  /// @param beside what is mapped already
  /// @param windows how many the IOMMU has
  public WindowsDoNotFit(
      String iommu, AddressRange mapping, List<AddressRange> beside, int windows) {
    super(
        new Refusal(
            "WindowsDoNotFit",
            "cannot map %s beside %s: %s has %d windows of one size, each a power of two that a mapping fills from its start, and no size suits them all"
                .formatted(mapping, beside.isEmpty() ? "nothing" : beside, iommu, windows),
            Optional.empty(),
            Optional.of(new Figure(windows, "windows")),
            List.of("mapping " + mapping, iommu),
            Source.rule("PAMU, PPAACE.WSE and WCE: sub-windows of a LIODN"),
            "map powers of two, aligned to their size in IOVAs and in memory, and the MSI window at a multiple of the largest"));
  }
}
