package dev.doorbell.hw.phb;

import dev.doorbell.bus.Rollback;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.NumberPool;
import dev.doorbell.irq.SourceRouter;
import dev.doorbell.irq.VectorBlock;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// Shares out the message interrupts of a bridge. Each belongs to the PE of the function that has it: a message of another PE stops that PE.
/// Safe for use from many threads.
///
/// **Source**: skiboot 7.1 `hw/phb3.c`, `hw/phb4.c`.
public abstract sealed class PhbMsiDriver implements MsiController
    permits Phb3MsiDriver, Phb4MsiDriver {
  final ReentrantLock lock = new ReentrantLock();
  private final Phb4Hardware.Messages hw;
  private final PeTables tables;
  private final SourceRouter router;
  private final NumberPool numbers;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();
  private final BitSet active = new BitSet();
  private final BitSet masked = new BitSet();

  /// Arrived while masked; not ended yet.
  private final BitSet held = new BitSet();

  private final short[] heldCpu;
  private final InterruptSink taken = this::take;
  private ArrivedInterrupts.Round round = arrived.begin();

  PhbMsiDriver(Phb4Hardware.Messages hw, PeTables tables, SourceRouter router) {
    this.hw = hw;
    this.tables = tables;
    this.router = router;
    numbers = new NumberPool(hw.id(), hw.count(), hw.source());
    heldCpu = new short[hw.count()];
  }

  @Override
  public String id() {
    return hw.id();
  }

  @Override
  public boolean isolated() {
    return true;
  }

  int cpus() {
    return router.cpus();
  }

  @Override
  public int vectorsFree() {
    lock.lock();
    try {
      return numbers.free();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    return allocate(source, count, contiguous, false);
  }

  /// {@return the same interrupts, for functions whose messages have 32 bits of address: they go to the last 64 KiB below 4 GiB}
  public MsiController low() {
    return new Low();
  }

  private final class Low implements MsiController {
    @Override
    public String id() {
      return hw.id();
    }

    @Override
    public boolean isolated() {
      return true;
    }

    @Override
    public int vectorsFree() {
      return PhbMsiDriver.this.vectorsFree();
    }

    @Override
    public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
      return PhbMsiDriver.this.allocate(source, count, contiguous, true);
    }

    @Override
    public int collect(InterruptSink sink) {
      return PhbMsiDriver.this.collect(sink);
    }
  }

  private VectorBlock allocate(MsiSource source, int count, boolean contiguous, boolean low) {
    lock.lock();
    try {
      int[] ours = new int[Math.max(0, count)];
      numbers.take(source, ours, contiguous);
      try (Rollback rollback = new Rollback()) {
        for (int n : ours) {
          rollback.add(() -> numbers.giveBack(n));
        }
        int pe = tables.pe(source.deviceId());
        for (int n : ours) {
          rollback.add(() -> tables.own(n, tables.nobody()));
          tables.own(n, pe);
        }
        rollback.commit();
      }
      return new PhbVectors(this, source, ours, low);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int collect(InterruptSink sink) {
    ArrivedInterrupts.Round mine = arrived.begin();
    lock.lock();
    try {
      round = mine;
      for (int n = held.nextSetBit(0); n >= 0; n = held.nextSetBit(n + 1)) {
        if (!masked.get(n)) {
          held.clear(n);
          deliver(n, heldCpu[n]);
        }
      }
      router.collect(hw.first(), hw.first() + hw.count() - 1, taken);
    } finally {
      lock.unlock();
    }
    return mine.deliver(sink);
  }

  private void take(int number, int cpu) {
    int n = number - hw.first();
    if (!active.get(n)) {
      return;
    }
    if (masked.get(n)) {
      held.set(n);
      heldCpu[n] = (short) cpu;
    } else {
      deliver(n, cpu);
    }
  }

  private void deliver(int n, int cpu) {
    end(n);
    round.arrived(n, cpu);
  }

  /// Lets an interrupt happen, or keep one message while it is masked. The lock is held, as for all that follow.
  abstract void on(int n, int cpu, boolean mask);

  /// Drops an interrupt's messages from now on, and what has come.
  abstract void off(int n);

  /// Sends an interrupt to another CPU.
  abstract void move(int n, int cpu);

  /// Keeps an interrupt's next message.
  abstract void hold(int n);

  /// Sends what was kept.
  abstract void letThrough(int n);

  /// Ends an event.
  abstract void end(int n);

  /// After the bridge has got its tables again: puts an interrupt into the state that it had; an event that the bridge had is lost.
  ///
  /// @param pending whether one has arrived that was not ended
  abstract void again(int n, boolean pending);

  final void activate(int n, int cpu, boolean mask) {
    masked.set(n, mask);
    on(n, cpu, mask);
    active.set(n);
  }

  final void deactivate(int n) {
    active.clear(n);
    off(n);
    router.silence(hw.first() + n);
    held.clear(n);
  }

  final void retarget(int n, int cpu) {
    move(n, cpu);
    heldCpu[n] = (short) cpu;
  }

  final void mask(int n) {
    if (!masked.get(n)) {
      masked.set(n);
      hold(n);
    }
  }

  final void unmask(int n) {
    masked.clear(n);
    letThrough(n);
  }

  final void giveBack(int n) {
    tables.own(n, tables.nobody());
    masked.clear(n);
    numbers.giveBack(n);
  }

  final boolean isMasked(int n) {
    return masked.get(n);
  }

  /// {@return the number of an interrupt in the machine}
  final int global(int n) {
    return hw.first() + n;
  }

  final void restore() {
    lock.lock();
    try {
      for (int n = active.nextSetBit(0); n >= 0; n = active.nextSetBit(n + 1)) {
        again(n, held.get(n));
      }
    } finally {
      lock.unlock();
    }
  }
}
