package dev.doorbell.hw.mpic;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.NumberPool;
import dev.doorbell.irq.VectorBlock;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// Shares out the interrupts of one bank, and takes those that have arrived from its MSIRs. Interrupts are numbered as their data are. All go to the
/// first CPU. Safe for use from many threads.
///
/// A bank does not see who writes: any device that reaches its page can raise every interrupt of it. It cannot mask a single one either: what
/// arrives for a masked vector is kept here until the unmask.
///
/// **Source**: Linux 6.12 `arch/powerpc/sysdev/fsl_msi.c`.
public final class MpicMsiDriver implements MsiController {
  final ReentrantLock lock = new ReentrantLock();
  private final BitSet active = new BitSet();
  private final BitSet masked = new BitSet();
  private final BitSet held = new BitSet();
  private final String id;
  private final RegisterBus registers;
  private final long doorbell;
  private final boolean wide;
  private final NumberPool numbers;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  private MpicMsiDriver(MpicMsiBank bank) {
    this.id = bank.id();
    this.registers = bank.registers();
    this.doorbell = bank.doorbell().value();
    this.wide = bank.wide();
    this.numbers =
        new NumberPool(id, registerCount() * MpicMsiRegisters.PER_REGISTER, bank.source());
  }

  /// {@return a driver of a bank, with nothing pending in it}
  public static MpicMsiDriver open(MpicMsiBank bank) {
    MpicMsiDriver d = new MpicMsiDriver(bank);
    for (int i = 0; i < d.registerCount(); i++) {
      d.registers.read32(MpicMsiRegisters.MSIR.offset(i));
    }
    return d;
  }

  private int registerCount() {
    return wide ? MpicMsiRegisters.WIDE_REGISTERS : MpicMsiRegisters.REGISTERS;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public boolean isolated() {
    return false;
  }

  long doorbell() {
    return doorbell;
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
  public VectorBlock allocate(MsiSource source, int wanted, boolean contiguous) {
    lock.lock();
    try {
      int[] taken = new int[Math.max(0, wanted)];
      numbers.take(source, taken, contiguous);
      return new MpicMsiVectors(this, source, taken);
    } finally {
      lock.unlock();
    }
  }

  /// The lock is held, as for all that follow.
  void on(int number, boolean mask) {
    drain(number);
    active.set(number);
    masked.set(number, mask);
  }

  void off(int number) {
    active.clear(number);
    drain(number);
  }

  void hold(int number, boolean mask) {
    masked.set(number, mask);
  }

  void giveBack(int number) {
    masked.clear(number);
    numbers.giveBack(number);
  }

  @Override
  public int collect(InterruptSink sink) {
    ArrivedInterrupts.Round round = arrived.begin();
    lock.lock();
    try {
      for (int i = 0; i < registerCount(); i++) {
        int bits = registers.read32(MpicMsiRegisters.MSIR.offset(i));
        while (bits != 0) {
          int bit = Integer.numberOfTrailingZeros(bits);
          bits &= bits - 1;
          held.set(MpicMsiRegisters.number(i, bit, wide));
        }
      }
      for (int n = held.nextSetBit(0); n >= 0; n = held.nextSetBit(n + 1)) {
        if (!active.get(n)) {
          held.clear(n);
        } else if (!masked.get(n)) {
          held.clear(n);
          round.arrived(n, 0);
        }
      }
    } finally {
      lock.unlock();
    }
    return round.deliver(sink);
  }

  /// Takes what is pending from the hardware, so that what came before a vector was active is not taken for its own.
  private void drain(int number) {
    int register = MpicMsiRegisters.register(number, wide);
    int bits = registers.read32(MpicMsiRegisters.MSIR.offset(register));
    while (bits != 0) {
      int bit = Integer.numberOfTrailingZeros(bits);
      bits &= bits - 1;
      int n = MpicMsiRegisters.number(register, bit, wide);
      if (active.get(n)) {
        held.set(n);
      }
    }
    held.clear(number);
  }
}
