package dev.doorbell.hw.phb;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntConsumer;

/// The state of a bridge's interrupts (PQ) and the pages that manage it. Off after reset. Allocates nothing when an interrupt is triggered. Safe for use
/// from many threads.
final class EsbModel implements MmioDevice {
  private final AtomicIntegerArray states;
  private IntConsumer notify = _ -> {};

  EsbModel(int interrupts) {
    states = new AtomicIntegerArray(interrupts);
    reset();
  }

  /// Says what sends an event of an interrupt, before the first one.
  void notify(IntConsumer sends) {
    notify = sends;
  }

  void reset() {
    for (int i = 0; i < states.length(); i++) {
      states.set(i, EsbRegisters.OFF);
    }
  }

  void set(int number, int pq) {
    states.set(number, pq);
  }

  /// An interrupt happens.
  void trigger(int number) {
    int pq = states.get(number);
    while (pq != EsbRegisters.OFF
        && !states.compareAndSet(
            number, pq, pq == EsbRegisters.RESET ? EsbRegisters.PENDING : EsbRegisters.QUEUED)) {
      pq = states.get(number);
    }
    if (pq == EsbRegisters.RESET) {
      notify.accept(number);
    }
  }

  /// {@return whether another event was sent: one had been queued}
  private boolean end(int number) {
    int pq = states.get(number);
    while (pq != EsbRegisters.OFF
        && !states.compareAndSet(
            number, pq, pq == EsbRegisters.QUEUED ? EsbRegisters.PENDING : EsbRegisters.RESET)) {
      pq = states.get(number);
    }
    if (pq == EsbRegisters.QUEUED) {
      notify.accept(number);
    }
    return pq == EsbRegisters.QUEUED;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    long page = offset / EsbRegisters.BYTES;
    if (page >= states.length() || bytes != Long.BYTES) {
      return BusRead.error(bytes);
    }
    int number = (int) page;
    long at = offset % EsbRegisters.BYTES;
    if (at == EsbRegisters.EOI.offset()) {
      return BusRead.ok(end(number) ? 1 : 0);
    }
    if (at == EsbRegisters.GET.offset()) {
      return BusRead.ok(states.get(number));
    }
    for (int pq = EsbRegisters.RESET; pq <= EsbRegisters.QUEUED; pq++) {
      if (at == EsbRegisters.setting(pq).offset()) {
        return BusRead.ok(states.getAndSet(number, pq));
      }
    }
    return BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    long page = offset / EsbRegisters.BYTES;
    if (page >= states.length() || offset % EsbRegisters.BYTES != EsbRegisters.EOI.offset()) {
      return BusOutcome.ERROR;
    }
    trigger((int) page);
    return BusOutcome.OK;
  }
}
