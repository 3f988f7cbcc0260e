package dev.doorbell.hw.hpet;

import static dev.doorbell.hw.hpet.HpetRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.Wire;
import dev.doorbell.irq.Wires;
import java.util.concurrent.locks.ReentrantLock;

/// Drives the messages of one High Precision Event Timer. Its timers are devices to whatever takes its messages: each that is connected has a
/// vector of a controller.
///
/// Safe for use from many threads; its lock is taken before the controller's.
///
/// **Source** IA-PC HPET Specification 1.0a, 2.3.9; Linux 6.12 `arch/x86/kernel/hpet.c` for the order of writes.
public final class HpetDriver {
  private final String id;
  private final RegisterBus registers;
  private final int timers;
  private final Wires wires;

  private HpetDriver(String id, RegisterBus registers, MsiController controller, int sourceId) {
    this.id = id;
    this.registers = registers;
    wires = new Wires(controller, sourceId, new ReentrantLock());
    timers = Math.min(LAST_TIMER.getInt(registers.read64(CAP.offset())) + 1, MOST_TIMERS);
    for (int timer = 0; timer < timers; timer++) {
      set(timer, 0, INTERRUPTS.mask() | FSB.mask());
    }
    long conf = registers.read64(CONF.offset());
    registers.write64(CONF.offset(), ENABLE.with(LEGACY.with(conf, 0), 1));
  }

  /// {@return the driver of a timer that counts, and no comparator of which interrupts}
  ///
  /// @param controller where its messages end: local APICs behind what remaps them
  /// @param sourceId the requester id that its messages carry
  public static HpetDriver open(
      String id, RegisterBus registers, MsiController controller, int sourceId) {
    return new HpetDriver(id, registers, controller, sourceId);
  }

  public String id() {
    return id;
  }

  public int timers() {
    return timers;
  }

  /// {@return whether a timer can send messages}
  ///
  /// @param timer 0 to {@link #timers} less one
  public boolean sendsMessages(int timer) {
    return FSB_CAP.isSet(registers.read64(offset(TIMER, timer)));
  }

  /// {@return ticks since some moment}
  public long counter() {
    return registers.read64(MAIN.offset());
  }

  /// Gives a timer a vector.
  ///
  /// @throws IndexOutOfBoundsException when there is no such timer
  /// @throws IllegalArgumentException when the timer cannot send messages
  /// @throws IllegalStateException when it has a vector
  /// @throws dev.doorbell.irq.IrqException when there is no vector; nothing is changed then
  public Timer connect(int timer, int cpu) {
    if (timer < 0 || timer >= timers) {
      throw new IndexOutOfBoundsException(
          "%s has %d timers and no timer %d".formatted(id, timers, timer));
    }
    if (!sendsMessages(timer)) {
      throw new IllegalArgumentException(
          "timer %d of %s cannot send messages".formatted(timer, id));
    }
    return wires.connect("timer %d of %s".formatted(timer, id), cpu, end -> new Timer(timer, end));
  }

  /// A connected timer.
  public final class Timer extends Wire {
    private final int number;

    private Timer(int number, End end) {
      super(end);
      this.number = number;
    }

    /// Has the timer interrupt once, when the counter comes to a value.
    public void at(long count) {
      change(() -> registers.write64(offset(COMPARATOR, number), count));
    }

    /// The same, when so many ticks have passed from now on.
    public void in(long ticks) {
      change(() -> registers.write64(offset(COMPARATOR, number), counter() + ticks));
    }

    @Override
    protected long message() {
      return FSB_ADDRESS.place(vector.doorbell(0))
          | FSB_VALUE.place(Integer.toUnsignedLong(vector.data(0)));
    }

    @Override
    protected void program() {
      silence();
      registers.write64(offset(MESSAGE, number), message());
      set(number, INTERRUPTS.mask() | FSB.mask(), LEVEL.mask());
    }

    @Override
    protected void silence() {
      set(number, 0, INTERRUPTS.mask() | FSB.mask());
    }
  }

  private void set(int timer, long on, long off) {
    long at = offset(TIMER, timer);
    registers.write64(at, registers.read64(at) & ~off | on);
  }
}
