package dev.doorbell.hw.mpic;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
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
  final BitSet active = new BitSet();
  final BitSet masked = new BitSet();
  final BitSet held = new BitSet();
  private final String id;
  private final RegisterBus registers;
  private final long doorbell;
  private final boolean wide;
  private final int count;
  private final Source source;
  private final BitSet taken = new BitSet();
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  private MpicMsiDriver(MpicMsiBank bank) {
    this.id = bank.id();
    this.registers = bank.registers();
    this.doorbell = bank.doorbell().value();
    this.wide = bank.wide();
    this.source = bank.source();
    this.count = registerCount() * MpicMsiRegisters.PER_REGISTER;
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
      return count - taken.cardinality();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public VectorBlock allocate(MsiSource source, int wanted, boolean contiguous) {
    if (wanted <= 0 || contiguous && Integer.bitCount(wanted) != 1) {
      throw new IllegalArgumentException(
          "%s asks %s for %d vectors (contiguous: %b)"
              .formatted(source.name(), id, wanted, contiguous));
    }
    lock.lock();
    try {
      int[] numbers = contiguous ? block(source, wanted) : any(source, wanted);
      for (int n : numbers) {
        taken.set(n);
      }
      return new MpicMsiVectors(this, source, numbers);
    } finally {
      lock.unlock();
    }
  }

  private int[] block(MsiSource who, int wanted) {
    for (int at = 0; at + wanted <= count; at += wanted) {
      int used = taken.nextSetBit(at);
      if (used < 0 || used >= at + wanted) {
        int[] out = new int[wanted];
        for (int i = 0; i < wanted; i++) {
          out[i] = at + i;
        }
        return out;
      }
    }
    throw new VectorsExhausted(who, id, wanted, largest(), source);
  }

  private int largest() {
    for (int size = Integer.highestOneBit(count); size > 0; size /= 2) {
      for (int at = 0; at + size <= count; at += size) {
        int used = taken.nextSetBit(at);
        if (used < 0 || used >= at + size) {
          return size;
        }
      }
    }
    return 0;
  }

  private int[] any(MsiSource who, int wanted) {
    int free = count - taken.cardinality();
    if (free < wanted) {
      throw new VectorsExhausted(who, id, wanted, free, source);
    }
    int[] out = new int[wanted];
    int at = -1;
    for (int i = 0; i < wanted; i++) {
      at = taken.nextClearBit(at + 1);
      out[i] = at;
    }
    return out;
  }

  void giveBack(int number) {
    taken.clear(number);
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

  /// Takes what is pending from the hardware, so that what came before a vector was active is not taken for its own. The lock is held.
  void drain(int number) {
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
