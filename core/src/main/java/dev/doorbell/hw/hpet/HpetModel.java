package dev.doorbell.hw.hpet;

import static dev.doorbell.hw.hpet.HpetRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import java.util.concurrent.locks.ReentrantLock;

/// A High Precision Event Timer with one-shot comparators of 64 bits that send messages. Time passes when it is told to ({@link #advance}).
///
/// Safe for use from many threads; messages leave with the lock held.
///
/// **Source** IA-PC HPET Specification 1.0a, 2.3.
public final class HpetModel implements MmioDevice {
  /// 10 MHz: femtoseconds a tick.
  private static final long TICK = 100_000_000L;

  private static final int VENDOR_INTEL = 0x8086;

  /// Where messages go: into the IOMMU that remaps them, or to the local APICs.
  @FunctionalInterface
  public interface Messages {
    /// {@return whether somebody took it}
    boolean send(long address, int data);
  }

  private final Messages messages;
  private final long[] timers;
  private final long[] comparators;
  private final long[] routes;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final RegisterPorts[] timerPorts;
  private final ReentrantLock lock = new ReentrantLock();
  private long configuration;
  private long counter;

  /// @param count timers, 1 to 24
  public HpetModel(int count, Messages messages) {
    if (count < 1 || count > MOST_TIMERS) {
      throw new IllegalArgumentException(
          "an HPET has 1 to %d timers, not %d".formatted(MOST_TIMERS, count));
    }
    this.messages = messages;
    timers = new long[count];
    comparators = new long[count];
    routes = new long[count];
    timerPorts = new RegisterPorts[count];
    ports.on(
        CAP,
        _ ->
            REVISION.place(1)
                | LAST_TIMER.place(count - 1L)
                | WIDE_COUNTER.mask()
                | VENDOR.place(VENDOR_INTEL)
                | PERIOD.place(TICK));
    ports.on(CONF, _ -> configuration, (_, v) -> configuration = CONF.legalize(configuration, v));
    ports.on(MAIN, _ -> counter, (_, v) -> counter = v);
    for (int timer = 0; timer < count; timer++) {
      timers[timer] = SIZE_CAP.mask() | FSB_CAP.mask();
      comparators[timer] = -1L;
      timerPorts[timer] = ports(timer);
    }
  }

  private RegisterPorts ports(int t) {
    RegisterPorts out = new RegisterPorts(TIMERS);
    out.on(TIMER, _ -> timers[t], (_, v) -> timers[t] = TIMER.legalize(timers[t], v));
    out.on(COMPARATOR, _ -> comparators[t], (_, v) -> comparators[t] = v);
    out.on(MESSAGE, _ -> routes[t], (_, v) -> routes[t] = v);
    return out;
  }

  /// Lets time pass; comparators that the counter meets send their messages, in the order of their numbers.
  ///
  /// @param ticks above 0
  public void advance(long ticks) {
    lock.lock();
    try {
      if (!ENABLE.isSet(configuration)) {
        return;
      }
      long before = counter;
      counter += ticks;
      for (int t = 0; t < timers.length; t++) {
        // The comparator was passed when it lies within the ticks after the former count.
        boolean met = Long.compareUnsigned(comparators[t] - before - 1, ticks) < 0;
        if (met && INTERRUPTS.isSet(timers[t]) && FSB.isSet(timers[t])) {
          messages.send(FSB_ADDRESS.get(routes[t]), (int) FSB_VALUE.get(routes[t]));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    lock.lock();
    try {
      RegisterPorts at = at(offset);
      return at != null && sized(bytes) && at.answers(within(offset), bytes)
          ? BusRead.ok(at.read(within(offset), bytes))
          : BusRead.error(bytes);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    lock.lock();
    try {
      RegisterPorts at = at(offset);
      if (at == null || !sized(bytes) || !at.answers(within(offset), bytes)) {
        return BusOutcome.ERROR;
      }
      at.write(within(offset), value, bytes);
      return BusOutcome.OK;
    } finally {
      lock.unlock();
    }
  }

  private static boolean sized(int bytes) {
    return bytes == Integer.BYTES || bytes == Long.BYTES;
  }

  /// {@return the registers that an offset belongs to; null beyond the last timer}
  private @org.jspecify.annotations.Nullable RegisterPorts at(long offset) {
    if (offset < FIRST_TIMER) {
      return ports;
    }
    long timer = (offset - FIRST_TIMER) / TIMER_BYTES;
    return timer < timerPorts.length ? timerPorts[(int) timer] : null;
  }

  private static long within(long offset) {
    return offset < FIRST_TIMER ? offset : (offset - FIRST_TIMER) % TIMER_BYTES;
  }
}
