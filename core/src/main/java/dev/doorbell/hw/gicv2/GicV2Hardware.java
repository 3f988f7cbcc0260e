package dev.doorbell.hw.gicv2;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.RegisterBus;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// A GICv2 as its driver finds it.
///
/// @param id the machine description's name, such as `gicd@0x8000000`
/// @param distributor the Distributor's registers
/// @param cpuInterface one processor's CPU interface registers, where they can be reached; whose they are the Distributor tells, as the
///     same processor makes both accesses
/// @param interfaces the CPU interface number, 0 to 7, of each CPU in firmware's order
/// @param processors the processors' side, where the machine lets one reach it; used before `cpuInterface`
public record GicV2Hardware(
    String id,
    RegisterBus distributor,
    Optional<RegisterBus> cpuInterface,
    List<Integer> interfaces,
    Optional<CpuInterface> processors) {
  public GicV2Hardware {
    interfaces = List.copyOf(interfaces);
  }

  /// {@return a GIC whose CPU interfaces are numbered in firmware's order}
  public static GicV2Hardware of(
      String id, RegisterBus distributor, Optional<RegisterBus> cpuInterface, int cpus) {
    return new GicV2Hardware(
        id, distributor, cpuInterface, IntStream.range(0, cpus).boxed().toList(), Optional.empty());
  }

  /// {@return this GIC with a way to its processors}
  public GicV2Hardware with(CpuInterface processors) {
    return new GicV2Hardware(id, distributor, cpuInterface, interfaces, Optional.of(processors));
  }
}
