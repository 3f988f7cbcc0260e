package dev.doorbell.hw.papr;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.XiveEventLayout;

/// A queue of events in a guest's memory, one a processor and priority. Callers synchronise.
final class PaprQueueModel {
  private final PhysicalMemory memory;
  private long start;
  private int shift;
  private boolean always;
  private boolean notified;
  private int next;
  private int generation = 1;

  PaprQueueModel(PhysicalMemory memory) {
    this.memory = memory;
  }

  boolean isOn() {
    return shift != 0;
  }

  /// Begins anew at an address, with the first round.
  ///
  /// @param bits of the queue's bytes
  /// @param notifies whether each event is told; else the first one is
  void begin(long address, int bits, boolean notifies) {
    start = address;
    shift = bits;
    always = notifies;
    notified = false;
    next = 0;
    generation = 1;
  }

  void end() {
    begin(0, 0, false);
  }

  /// Takes an event.
  ///
  /// {@return whether the processor is to be told}
  boolean append(int data) {
    long at = start + (long) next * XiveEventLayout.ENTRY_BYTES;
    memory.write32(at, XiveEventLayout.entry(generation, data));
    next++;
    if ((long) next * XiveEventLayout.ENTRY_BYTES == 1L << shift) {
      next = 0;
      generation = 1 - generation;
    }
    boolean tell = always || !notified;
    notified = true;
    return tell;
  }

  /// {@return flags of {@link XiveCalls#QUEUE}}
  ///
  /// @param all whether the generation is told as well
  long flags(boolean all) {
    return XiveCalls.ALWAYS_NOTIFY.place(always ? 1 : 0)
        | XiveCalls.GENERATION.place(all && isOn() ? generation : 0);
  }

  long start() {
    return start;
  }

  int shift() {
    return shift;
  }

  int next() {
    return next;
  }
}
