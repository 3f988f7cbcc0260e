package dev.doorbell.hw.papr;

import dev.doorbell.irq.InterruptSink;
import java.util.Arrays;
import java.util.BitSet;

/// Sources whose interrupts a guest has taken and nobody has collected yet, and the processor of each. Callers synchronise, but for {@link #cpu}.
final class ArrivedSources {
  private final BitSet arrived = new BitSet();

  /// Processors are 128 at most.
  private byte[] cpuOf = new byte[0x2000];

  void arrive(int number, int cpu) {
    place(number, cpu);
    arrived.set(number);
  }

  /// Says where a source's interrupts go from now on; one that has arrived moves along.
  void place(int number, int cpu) {
    if (number >= cpuOf.length) {
      cpuOf = Arrays.copyOf(cpuOf, 2 * number);
    }
    cpuOf[number] = (byte) cpu;
  }

  void forget(int number) {
    arrived.clear(number);
  }

  /// Tells those of some sources, which are then forgotten.
  void collect(BitSet of, InterruptSink sink) {
    for (int n = arrived.nextSetBit(0); n >= 0; n = arrived.nextSetBit(n + 1)) {
      if (of.get(n)) {
        arrived.clear(n);
        sink.arrived(n, cpuOf[n]);
      }
    }
  }

  /// {@return the processor that a source's last interrupt came to, or will come to}
  int cpu(int number) {
    return cpuOf[number];
  }
}
