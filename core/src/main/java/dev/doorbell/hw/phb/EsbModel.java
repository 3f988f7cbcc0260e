package dev.doorbell.hw.phb;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.EventStates;
import java.util.function.IntConsumer;

/// The state of a bridge's interrupts (PQ) and the pages that manage it. Off after reset. Allocates nothing when an interrupt is triggered. Safe for use
/// from many threads.
final class EsbModel implements MmioDevice {
  private final EventStates states;
  private IntConsumer notify = _ -> {};

  EsbModel(int interrupts) {
    states = new EventStates(interrupts);
  }

  /// Says what sends an event of an interrupt, before the first one.
  void notify(IntConsumer sends) {
    notify = sends;
  }

  void reset() {
    states.reset();
  }

  void set(int number, int pq) {
    int unused = states.set(number, pq);
  }

  /// An interrupt happens.
  void trigger(int number) {
    if (states.trigger(number)) {
      notify.accept(number);
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    long page = offset / EsbRegisters.BYTES;
    if (page >= states.count() || bytes != Long.BYTES) {
      return BusRead.error(bytes);
    }
    long answer = states.load((int) page, offset % EsbRegisters.BYTES, notify);
    return answer == EventStates.NOTHING ? BusRead.error(bytes) : BusRead.ok(answer);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    long page = offset / EsbRegisters.BYTES;
    if (page >= states.count() || offset % EsbRegisters.BYTES != EsbRegisters.EOI.offset()) {
      return BusOutcome.ERROR;
    }
    trigger((int) page);
    return BusOutcome.OK;
  }
}
