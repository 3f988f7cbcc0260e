package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import java.util.List;
import java.util.Optional;

/// What the driver of a GICv3 is given.
///
/// @param id its name, such as `gic@0x8000000`
/// @param distributor GICD registers
/// @param redistributors GICR regions
/// @param mpidrs affinities of the CPUs, in firmware's order
/// @param memory the machine's memory
/// @param frames memory for tables
/// @param cpuInterface the CPUs' side, where the machine lets one reach it
public record GicV3Hardware(
    String id,
    RegisterBus distributor,
    List<Region> redistributors,
    List<Long> mpidrs,
    PhysicalMemory memory,
    Frames frames,
    Optional<CpuInterface> cpuInterface) {
  /// A run of Redistributors.
  ///
  /// @param bus its registers
  /// @param start its physical address
  /// @param bytes its size
  public record Region(RegisterBus bus, long start, long bytes) {}

  public GicV3Hardware {
    redistributors = List.copyOf(redistributors);
    mpidrs = List.copyOf(mpidrs);
  }
}
