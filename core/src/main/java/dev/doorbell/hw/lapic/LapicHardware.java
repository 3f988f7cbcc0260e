package dev.doorbell.hw.lapic;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The local APICs of a machine, as their driver reaches them.
///
/// @param id of the machine description, such as `lapic@0xfee00000`
/// @param apicIds of the CPUs, in firmware's order; not empty
/// @param registers to set the APICs up with; empty when the machine lets nobody reach them, so that they are as its firmware left them
/// @param cpus where interrupts are taken; empty when they cannot be
/// @param xApicOnly where firmware asks to stay out of x2APIC mode; empty when it does not
public record LapicHardware(
    String id,
    List<Long> apicIds,
    Optional<CpuRegisters> registers,
    Optional<CpuInterface> cpus,
    Optional<Source> xApicOnly) {
  /// Where firmware does not ask for a mode.
  public LapicHardware(
      String id,
      List<Long> apicIds,
      Optional<CpuRegisters> registers,
      Optional<CpuInterface> cpus) {
    this(id, apicIds, registers, cpus, Optional.empty());
  }

  public LapicHardware {
    apicIds = List.copyOf(apicIds);
    if (apicIds.isEmpty()) {
      throw new IllegalArgumentException(id + " without a CPU takes no interrupt");
    }
  }
}
