package dev.doorbell.host;

import dev.doorbell.explain.Source;
import dev.doorbell.hw.hpet.HpetDriver;

/// A timer of an HPET that has a vector. Closing takes the vector back. Not safe for use from many threads.
public final class WiredTimer implements AutoCloseable {
  private final HpetDriver.Timer timer;

  private WiredTimer(HpetDriver.Timer timer) {
    this.timer = timer;
  }

  /// Gives a timer a vector on the first CPU. When it throws, no timer has one that had none.
  ///
  /// @param hpet the number that firmware gives the HPET
  /// @throws NotAssignable when it is not there, cannot be driven, or the timer cannot send messages
  /// @throws IndexOutOfBoundsException when it has no such timer
  /// @throws dev.doorbell.irq.VectorsExhausted when no vector is left
  public static WiredTimer of(Host host, int hpet, int timer) {
    HpetDriver driver = host.hpet(hpet);
    if (timer >= 0 && timer < driver.timers() && !driver.sendsMessages(timer)) {
      throw new NotAssignable(
          "timer %d of %s".formatted(timer, driver.id()),
          driver.id(),
          "the timer cannot send messages",
          Source.rule("IA-PC HPET 1.0a, 2.3.8: Tn_FSB_INT_DEL_CAP is 0"),
          "take a timer that can");
    }
    return new WiredTimer(driver.connect(timer, 0));
  }

  /// {@return the number under which the local APICs' controller tells of the timer's interrupts}
  public int vector() {
    return timer.vector();
  }

  /// Has the timer interrupt once, when so many ticks have passed.
  public void in(long ticks) {
    timer.in(ticks);
  }

  @Override
  public void close() {
    timer.disconnect();
  }
}
