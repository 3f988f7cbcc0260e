package dev.doorbell.irq;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/// Hands interrupts that have arrived to whoever waits for each. Interrupt numbers are those of one interrupt controller, which all MSI
/// controllers above it share. Delivering allocates nothing and takes no lock. Safe for use from many threads.
public final class InterruptDispatch implements InterruptSink {
  private record Table(int[] intids, InterruptSink[] sinks) {}

  private final LongAdder unclaimed = new LongAdder();
  private volatile Table table = new Table(new int[0], new InterruptSink[0]);

  /// Lets someone wait for an interrupt.
  ///
  /// @throws IllegalStateException when someone does already
  public synchronized void add(int intid, InterruptSink sink) {
    Table t = table;
    int at = Arrays.binarySearch(t.intids, intid);
    if (at >= 0) {
      throw new IllegalStateException("interrupt " + intid + " is waited for already");
    }
    int place = -at - 1;
    int[] intids = new int[t.intids.length + 1];
    InterruptSink[] sinks = new InterruptSink[intids.length];
    System.arraycopy(t.intids, 0, intids, 0, place);
    System.arraycopy(t.sinks, 0, sinks, 0, place);
    intids[place] = intid;
    sinks[place] = sink;
    System.arraycopy(t.intids, place, intids, place + 1, t.intids.length - place);
    System.arraycopy(t.sinks, place, sinks, place + 1, t.sinks.length - place);
    table = new Table(intids, sinks);
  }

  /// Lets nobody wait for an interrupt any more. Does nothing when nobody does.
  public synchronized void remove(int intid) {
    Table t = table;
    int at = Arrays.binarySearch(t.intids, intid);
    if (at < 0) {
      return;
    }
    int[] intids = new int[t.intids.length - 1];
    InterruptSink[] sinks = new InterruptSink[intids.length];
    System.arraycopy(t.intids, 0, intids, 0, at);
    System.arraycopy(t.sinks, 0, sinks, 0, at);
    System.arraycopy(t.intids, at + 1, intids, at, intids.length - at);
    System.arraycopy(t.sinks, at + 1, sinks, at, sinks.length - at);
    table = new Table(intids, sinks);
  }

  @Override
  public void arrived(int intid, int cpu) {
    Table t = table;
    int at = Arrays.binarySearch(t.intids, intid);
    if (at < 0) {
      unclaimed.increment();
    } else {
      t.sinks[at].arrived(intid, cpu);
    }
  }

  /// {@return interrupts that arrived and nobody waited for}
  public long unclaimed() {
    return unclaimed.sum();
  }
}
