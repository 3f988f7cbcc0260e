package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.setup.PlacedFunction;
import dev.doorbell.pci.setup.PlacedFunction.Bar;
import java.util.List;

/// A VF that exists, and its part of the room that its PF's SR-IOV capability has for all.
record VirtualFunction(Sbdf pf, List<Bar> bars) {
  /// @param index 0 for the first VF
  /// @param total TotalVFs, for which there is room
  static VirtualFunction of(PlacedFunction pf, int index, int total) {
    return new VirtualFunction(
        pf.sbdf(),
        pf.vfBars().stream()
            .map(b -> {
              long bytes = b.range().bytes() / total;
              return new Bar(
                  b.index(),
                  AddressRange.ofSize(b.range().start() + index * bytes, bytes),
                  b.kind(),
                  b.prefetchable());
            })
            .toList());
  }
}
