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

/// Shares out the message interrupts of a bridge. Each belongs to the PE of the function that has it (MIST): a message of another PE stops that PE.
/// Safe for use from many threads.
///
/// An interrupt is masked by marking it pending: what comes meanwhile is queued in the bridge, and sent by the unmask.
///
/// **Source**: skiboot 7.1 `hw/phb4.c` (`phb4_set_ive_pe`, `phb4_get_msi_64`); Linux 6.12 `arch/powerpc/sysdev/xive/common.c`
/// (`xive_do_source_set_mask`, `xive_do_source_eoi`).
public final class Phb4MsiDriver implements MsiController {
  final ReentrantLock lock = new ReentrantLock();
  private final Phb4Hardware.Messages hw;
  private final PeTables tables;
  private final SourceRouter router;
  private final NumberPool numbers;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();
  private final BitSet active = new BitSet();
  private final BitSet masked = new BitSet();

  /// Marked pending by us, and not by an event.
  private final BitSet marked = new BitSet();

  /// Arrived while masked; not ended yet.
  private final BitSet held = new BitSet();

  private final short[] heldCpu;
  private final InterruptSink taken = this::take;
  private ArrivedInterrupts.Round round = arrived.begin();

  Phb4MsiDriver(Phb4Hardware.Messages hw, PeTables tables, SourceRouter router) {
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
      return Phb4MsiDriver.this.vectorsFree();
    }

    @Override
    public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
      return Phb4MsiDriver.this.allocate(source, count, contiguous, true);
    }

    @Override
    public int collect(InterruptSink sink) {
      return Phb4MsiDriver.this.collect(sink);
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
      return new Phb4Vectors(this, source, ours, low);
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
    tables.end(n);
    round.arrived(n, cpu);
  }

  /// The lock is held, as for all that follow.
  void activate(int n, int cpu, boolean mask) {
    router.route(hw.first() + n, cpu);
    active.set(n);
    masked.set(n, mask);
    marked.set(n, mask);
    tables.state(n, mask ? EsbRegisters.PENDING : EsbRegisters.RESET);
  }

  void deactivate(int n) {
    active.clear(n);
    tables.state(n, EsbRegisters.OFF);
    router.silence(hw.first() + n);
    held.clear(n);
    marked.clear(n);
  }

  void retarget(int n, int cpu) {
    router.route(hw.first() + n, cpu);
    heldCpu[n] = (short) cpu;
  }

  void mask(int n) {
    if (masked.get(n)) {
      return;
    }
    masked.set(n);
    int before = tables.state(n, EsbRegisters.PENDING);
    if (before == EsbRegisters.QUEUED) {
      tables.state(n, EsbRegisters.QUEUED);
    }
    marked.set(n, before == EsbRegisters.RESET);
  }

  void unmask(int n) {
    masked.clear(n);
    if (marked.get(n)) {
      marked.clear(n);
      tables.end(n);
    }
  }

  void giveBack(int n) {
    tables.own(n, tables.nobody());
    masked.clear(n);
    numbers.giveBack(n);
  }

  /// After the bridge has got its tables again: interrupts that were on are on; an event that it had is lost.
  void restore() {
    lock.lock();
    try {
      for (int n = active.nextSetBit(0); n >= 0; n = active.nextSetBit(n + 1)) {
        boolean mask = masked.get(n);
        marked.set(n, mask && !held.get(n));
        tables.state(n, mask ? EsbRegisters.PENDING : EsbRegisters.RESET);
      }
    } finally {
      lock.unlock();
    }
  }
}
