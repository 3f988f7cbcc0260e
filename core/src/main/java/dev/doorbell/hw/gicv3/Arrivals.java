package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.CpuInterface;
import java.util.Arrays;
import java.util.BitSet;

/// Interrupts that CPUs have acknowledged and nobody has collected yet: which one arrived, and at which CPU. One that arrives again
/// before it is collected counts once, as it would in the hardware. Callers synchronise.
final class Arrivals {
  /// Acknowledgements at one CPU in one go, so that a device in a storm cannot hold the caller for ever.
  private static final int AT_ONCE = 4096;

  private static final int GONE = -1;

  private final BitSet here = new BitSet();
  private int[] intids = new int[64];
  private int[] cpus = new int[64];
  private int count;

  /// Acknowledges what all CPUs have pending.
  void drain(CpuInterface from) {
    for (int cpu = 0; cpu < from.cpus(); cpu++) {
      for (int i = 0; i < AT_ONCE; i++) {
        int intid = from.acknowledge(cpu);
        if (intid == CpuInterface.NONE) {
          break;
        }
        from.endOfInterrupt(cpu, intid);
        add(intid, cpu);
      }
    }
  }

  void add(int intid, int cpu) {
    if (here.get(intid)) {
      cpus[place(intid)] = cpu;
      return;
    }
    if (count == intids.length) {
      intids = Arrays.copyOf(intids, 2 * count);
      cpus = Arrays.copyOf(cpus, 2 * count);
    }
    here.set(intid);
    intids[count] = intid;
    cpus[count] = cpu;
    count++;
  }

  boolean has(int intid) {
    return here.get(intid);
  }

  void forget(int intid) {
    if (here.get(intid)) {
      drop(place(intid));
      close();
    }
  }

  /// {@return how many there are; the earliest is number 0}
  int count() {
    return count;
  }

  int intid(int number) {
    return intids[number];
  }

  int cpu(int number) {
    return cpus[number];
  }

  /// Takes one out. The others keep their numbers until {@link #close}.
  void drop(int number) {
    here.clear(intids[number]);
    intids[number] = GONE;
  }

  /// Closes the gaps that {@link #drop} left.
  void close() {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (intids[i] != GONE) {
        intids[kept] = intids[i];
        cpus[kept] = cpus[i];
        kept++;
      }
    }
    count = kept;
  }

  private int place(int intid) {
    int at = 0;
    while (intids[at] != intid) {
      at++;
    }
    return at;
  }
}
