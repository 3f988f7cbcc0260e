package dev.doorbell.pci.setup;

import dev.doorbell.address.AddressRange;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A function as the set-up left it.
///
/// @param bars its memory BARs, by their first register
/// @param vfBars of a PF, the memory BARs of its VFs; the range of each has room for TotalVFs of them
/// @param bridge of a bridge, its buses and windows
public record PlacedFunction(Sbdf sbdf, List<Bar> bars, List<Bar> vfBars, Optional<Bridge> bridge) {

  /// A memory BAR.
  ///
  /// @param range PCI addresses
  public record Bar(int index, AddressRange range, BarDecode.Kind kind, boolean prefetchable) {}

  /// The buses below a bridge, and what it passes down.
  ///
  /// @param memory empty when the window is closed
  /// @param prefetchable empty when the window is closed
  public record Bridge(
      int secondary,
      int subordinate,
      Optional<AddressRange> memory,
      Optional<AddressRange> prefetchable) {}

  public PlacedFunction {
    bars = List.copyOf(bars);
    vfBars = List.copyOf(vfBars);
  }
}
