package dev.doorbell.irq;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/// Interrupts on their way from under a driver's lock, where they were taken from the hardware, to a sink that is called without it.
///
/// Memory is kept from one round to the next: nothing is allocated but when more arrive at once than ever before, or when two threads (or a
/// sink) collect at the same time. A round is for one thread; rounds may be begun from many.
public final class ArrivedInterrupts {
  private static final int USUAL = 16;

  private final AtomicReference<Round> idle = new AtomicReference<>(new Round());

  /// {@return an empty round; to be ended by {@link Round#deliver}}
  public Round begin() {
    Round round = idle.getAndSet(null);
    return round == null ? new Round() : round;
  }

  /// Interrupts of one collection, in the order in which they are told.
  public final class Round implements InterruptSink {
    private int[] intids = new int[USUAL];
    private int[] cpus = new int[USUAL];
    private int count;

    private Round() {}

    @Override
    public void arrived(int intid, int cpu) {
      if (count == intids.length) {
        intids = Arrays.copyOf(intids, 2 * count);
        cpus = Arrays.copyOf(cpus, 2 * count);
      }
      intids[count] = intid;
      cpus[count] = cpu;
      count++;
    }

    /// Hands everything on. The round is over then.
    ///
    /// {@return how many interrupts there were}
    public int deliver(InterruptSink sink) {
      int arrived = count;
      try {
        for (int i = 0; i < arrived; i++) {
          sink.arrived(intids[i], cpus[i]);
        }
      } finally {
        count = 0;
        idle.set(this);
      }
      return arrived;
    }
  }
}
