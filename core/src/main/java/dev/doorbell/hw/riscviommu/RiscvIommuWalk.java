package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// What an IOMMU's registers and tables say of an access.
///
/// @param output where it leaves; empty when it ends inside
/// @param file where it is recorded instead, and nothing leaves but a notice
/// @param stoppedAt why it ends
public record RiscvIommuWalk(
    List<Hop> hops, Optional<Pa> output, Optional<ResidentFile> file, Optional<String> stoppedAt) {
  /// An interrupt file in memory.
  ///
  /// @param address of its 512 bytes
  /// @param notice where a notice MSI goes, each time that a message was recorded
  /// @param datum of the notice MSI
  public record ResidentFile(Pa address, Pa notice, int datum) {
    @Override
    public String toString() {
      return "the interrupt file in memory at %s, with notice MSI %d to %s"
          .formatted(address, datum, notice);
    }
  }

  public RiscvIommuWalk {
    hops = List.copyOf(hops);
  }
}
