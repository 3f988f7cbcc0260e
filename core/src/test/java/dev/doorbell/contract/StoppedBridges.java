package dev.doorbell.contract;

import dev.doorbell.hw.papr.PaprDriver;
import dev.doorbell.hw.phb.PhbDriver;
import java.util.List;

/// Host bridges of POWER, which stop whoever does what it may not. Here each access counts alone.
final class StoppedBridges {
  private StoppedBridges() {}

  /// Lets everybody go on.
  static void goOn(List<WiredIommu> iommus, List<Fn> functions) {
    for (WiredIommu iommu : iommus) {
      switch (iommu.real()) {
        case PhbDriver phb ->
            functions.stream()
                .flatMap(f -> f.group().members().stream())
                .flatMap(m -> m.streams().stream())
                .filter(s -> s.iommu() == iommu)
                .forEach(s -> phb.thaw(s.streamId()));
        case PaprDriver window -> window.thaw();
        default -> {}
      }
    }
  }
}
