package dev.doorbell.hw.hpet;

import static dev.doorbell.hw.hpet.HpetRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import java.util.HashMap;
import java.util.Map;
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
  private final MsiController controller;
  private final int sourceId;
  private final int timers;
  private final Map<Integer, Timer> connected = new HashMap<>();
  private final ReentrantLock lock = new ReentrantLock();

  private HpetDriver(String id, RegisterBus registers, MsiController controller, int sourceId) {
    this.id = id;
    this.registers = registers;
    this.controller = controller;
    this.sourceId = sourceId;
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
    if (!FSB_CAP.isSet(registers.read64(offset(TIMER, timer)))) {
      throw new IllegalArgumentException(
          "timer %d of %s cannot send messages".formatted(timer, id));
    }
    lock.lock();
    try {
      if (connected.containsKey(timer)) {
        throw new IllegalStateException("timer %d of %s is connected".formatted(timer, id));
      }
      VectorBlock vector =
          controller.allocate(
              new MsiSource("timer %d of %s".formatted(timer, id), sourceId), 1, false);
      Timer made = new Timer(timer, vector);
      try {
        vector.activate(0, cpu);
        made.program();
      } catch (RuntimeException failed) {
        made.undo(failed);
        throw failed;
      }
      connected.put(timer, made);
      return made;
    } finally {
      lock.unlock();
    }
  }

  /// A connected timer.
  public final class Timer {
    private final int number;
    private final VectorBlock vector;
    private boolean open = true;

    private Timer(int number, VectorBlock vector) {
      this.number = number;
      this.vector = vector;
    }

    /// {@return the number under which the controller tells of its interrupts}
    public int vector() {
      return vector.number(0);
    }

    /// {@return the CPU that takes them}
    public int cpu() {
      return vector.cpu(0);
    }

    /// Has the timer interrupt once, when the counter comes to a value.
    public void at(long count) {
      change(() -> registers.write64(offset(COMPARATOR, number), count));
    }

    /// Moves the timer to another CPU. Where its message names the CPU, it does not interrupt while that changes.
    public void retarget(int cpu) {
      change(() -> {
        long before = message();
        vector.retarget(0, cpu);
        if (message() != before) {
          program();
        }
        vector.finishMove(0);
      });
    }

    /// Gives the timer's vector back.
    public void disconnect() {
      change(() -> {
        silence();
        vector.free();
        open = false;
        connected.remove(number);
      });
    }

    private void change(Runnable action) {
      lock.lock();
      try {
        if (!open) {
          throw new IllegalStateException(
              "timer %d of %s has been disconnected".formatted(number, id));
        }
        action.run();
      } finally {
        lock.unlock();
      }
    }

    private long message() {
      return FSB_ADDRESS.place(vector.doorbell(0))
          | FSB_VALUE.place(Integer.toUnsignedLong(vector.data(0)));
    }

    private void program() {
      silence();
      registers.write64(offset(MESSAGE, number), message());
      set(number, INTERRUPTS.mask() | FSB.mask(), LEVEL.mask());
    }

    private void silence() {
      set(number, 0, INTERRUPTS.mask() | FSB.mask());
    }

    private void undo(RuntimeException because) {
      try {
        silence();
        vector.free();
      } catch (RuntimeException again) {
        because.addSuppressed(again);
      }
    }
  }

  private void set(int timer, long on, long off) {
    long at = offset(TIMER, timer);
    registers.write64(at, registers.read64(at) & ~off | on);
  }
}
