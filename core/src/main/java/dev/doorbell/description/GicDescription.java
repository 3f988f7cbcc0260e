package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The Arm Generic Interrupt Controller below the MSI controllers.
///
/// @param version 2 to 4; 0 when firmware does not tell
/// @param distributor GICD registers
/// @param redistributors GICR ranges of a GICv3, several frames each
/// @param cpuInterface GICC registers of a GICv2
/// @param cpus processors, in firmware's order
public record GicDescription(
    int version,
    AddressRange distributor,
    List<AddressRange> redistributors,
    Optional<AddressRange> cpuInterface,
    List<Cpu> cpus,
    Source source) {
  /// One processor.
  ///
  /// @param index Doorbell's number, from 0 in firmware's order
  /// @param mpidr affinity, as MPIDR_EL1 prints it
  public record Cpu(int index, long mpidr, Source source) {}

  public GicDescription {
    redistributors = List.copyOf(redistributors);
    cpus = List.copyOf(cpus);
  }
}
