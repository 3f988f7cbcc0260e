package dev.doorbell.pci.setup;

import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A function that answered, and the bus below it.
///
/// @param vfs of a PF, where its VFs are told
/// @param below of a bridge, the bus that it was given
record Found(PciFunction function, Optional<Vfs> vfs, Optional<Bus> below) {
  /// A numbered bus.
  record Bus(int number, int subordinate, List<Found> functions) {
    Bus {
      functions = List.copyOf(functions);
    }
  }

  /// The SR-IOV capability of a PF.
  ///
  /// @param capability its registers
  /// @param total TotalVFs
  record Vfs(ConfigAccess capability, int total) {}

  Sbdf sbdf() {
    return function.sbdf();
  }

  ConfigAccess header() {
    return ConfigAccess.header(function.config());
  }
}
