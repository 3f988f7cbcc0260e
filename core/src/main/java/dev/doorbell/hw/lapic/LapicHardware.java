package dev.doorbell.hw.lapic;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import java.util.List;
import java.util.Optional;

/// The local APICs of a machine, as their driver reaches them.
///
/// @param id of the machine description, such as `lapic@0xfee00000`
/// @param apicIds of the CPUs, in firmware's order; not empty
/// @param registers to set the APICs up with; empty when the machine lets nobody reach them, so that they are as its firmware left them
/// @param cpus where interrupts are taken; empty when they cannot be
public record LapicHardware(
    String id, List<Long> apicIds, Optional<CpuRegisters> registers, Optional<CpuInterface> cpus) {
  public LapicHardware {
    apicIds = List.copyOf(apicIds);
    if (apicIds.isEmpty()) {
      throw new IllegalArgumentException(id + " without a CPU takes no interrupt");
    }
  }
}
