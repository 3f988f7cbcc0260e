package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.CpuInterface;
import java.util.LinkedHashMap;
import java.util.Map;

/// Interrupts that CPUs have acknowledged and nobody has collected yet: which one arrived, and at which CPU. One that arrives again
/// before it is collected counts once, as it would in the hardware. Callers synchronise.
final class Arrivals {
  /// Acknowledgements at one CPU in one go, so that a device in a storm cannot hold the caller for ever.
  private static final int AT_ONCE = 4096;

  private final Map<Integer, Integer> cpuOf = new LinkedHashMap<>();

  /// Acknowledges what all CPUs have pending.
  void drain(CpuInterface cpus) {
    for (int cpu = 0; cpu < cpus.cpus(); cpu++) {
      for (int i = 0; i < AT_ONCE; i++) {
        int intid = cpus.acknowledge(cpu);
        if (intid == CpuInterface.NONE) {
          break;
        }
        cpus.endOfInterrupt(cpu, intid);
        cpuOf.put(intid, cpu);
      }
    }
  }

  boolean has(int intid) {
    return cpuOf.containsKey(intid);
  }

  void forget(int intid) {
    cpuOf.remove(intid);
  }

  Map<Integer, Integer> cpuOf() {
    return cpuOf;
  }
}
