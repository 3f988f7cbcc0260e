package dev.doorbell.hw.imsic;

import static dev.doorbell.hw.imsic.ImsicRegisters.*;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.MmioDevice;
import java.util.concurrent.atomic.AtomicLongArray;

/// Interrupt files of one kind, one for each hart: those of supervisor level, or those of one number among the guests'.
///
/// **Threads.** Any number; messages take no lock and allocate nothing.
///
/// **Source**: RISC-V AIA 1.0, 3.
final class FileBank implements InterruptFiles {
  private static final int WORDS = (MOST_IDENTITIES + 1) / Long.SIZE;

  private final int identities;
  private final File[] files;

  FileBank(int cpus, int identities) {
    this.identities = identities;
    this.files = new File[cpus];
    for (int i = 0; i < cpus; i++) {
      files[i] = new File();
    }
  }

  /// {@return a hart's page, for the bus}
  MmioDevice page(int cpu) {
    return files[cpu];
  }

  @Override
  public int cpus() {
    return files.length;
  }

  @Override
  public long read(int cpu, int select) {
    File f = files[cpu];
    if (select == EIDELIVERY) {
      return f.delivery;
    }
    if (select == EITHRESHOLD) {
      return f.threshold;
    }
    AtomicLongArray array = f.array(select);
    return array == null ? 0 : array.get(word(select));
  }

  @Override
  public void write(int cpu, int select, long value) {
    File f = files[cpu];
    AtomicLongArray array = f.array(select);
    if (select == EIDELIVERY) {
      f.delivery = value & 1;
    } else if (select == EITHRESHOLD) {
      f.threshold = Math.min(THRESHOLD.get(value), identities);
    } else if (array != null) {
      array.set(word(select), value & implemented(word(select)));
    }
  }

  @Override
  public void change(int cpu, int select, long bits, boolean on) {
    AtomicLongArray array = files[cpu].array(select);
    if (array == null) {
      write(cpu, select, on ? read(cpu, select) | bits : read(cpu, select) & ~bits);
      return;
    }
    int word = word(select);
    long these = bits & implemented(word);
    array.getAndUpdate(word, old -> on ? old | these : old & ~these);
  }

  /// {@return whether a hart has an interrupt to take, and is told so}
  boolean interrupts(int cpu) {
    return files[cpu].delivery == 1 && files[cpu].top() != NONE;
  }

  @Override
  public int claim(int cpu) {
    File f = files[cpu];
    while (true) {
      int top = f.top();
      if (top == NONE || f.clear(top)) {
        return top;
      }
    }
  }

  private static int word(int select) {
    return (select - (select >= EIE0 ? EIE0 : EIP0)) / 2;
  }

  /// {@return the identities of a word that the file has; 0 is none}
  private long implemented(int word) {
    int first = word * Long.SIZE;
    int count = Math.clamp((long) identities + 1 - first, 0, Long.SIZE);
    long all = count == Long.SIZE ? -1L : bit(count) - 1;
    return word == 0 ? all & ~1L : all;
  }

  private final class File implements MmioDevice {
    private final AtomicLongArray pending = new AtomicLongArray(WORDS);
    private final AtomicLongArray enabled = new AtomicLongArray(WORDS);
    private volatile long delivery;
    private volatile long threshold;

    /// {@return eip or eie; null for an odd number or another register, which a hart cannot select}
    @org.jspecify.annotations.Nullable
    AtomicLongArray array(int select) {
      if (select < EIP0 || select > EIE63 || select % 2 != 0) {
        return null;
      }
      return select >= EIE0 ? enabled : pending;
    }

    @Override
    public BusRead read(long offset, int bytes) {
      return bytes == Integer.BYTES && offset % Integer.BYTES == 0
          ? BusRead.ok(0)
          : BusRead.error(bytes);
    }

    @Override
    public BusOutcome write(long offset, long value, int bytes, int requester) {
      if (bytes != Integer.BYTES || offset % Integer.BYTES != 0) {
        return BusOutcome.ERROR;
      }
      if (offset == SETEIPNUM_LE.offset()) {
        set((int) value);
      } else if (offset == SETEIPNUM_BE.offset()) {
        set(Integer.reverseBytes((int) value));
      }
      return BusOutcome.OK;
    }

    private void set(int identity) {
      if (identity < 1 || identity > identities) {
        return;
      }
      int word = identity / Long.SIZE;
      long bit = bit(identity);
      long old = pending.get(word);
      while ((old & bit) == 0 && !pending.compareAndSet(word, old, old | bit)) {
        old = pending.get(word);
      }
    }

    private boolean clear(int identity) {
      int word = identity / Long.SIZE;
      long bit = bit(identity);
      long old = pending.get(word);
      return (old & bit) != 0 && pending.compareAndSet(word, old, old & ~bit);
    }

    /// {@return the pending and enabled identity of the highest priority, which is the lowest number}
    private int top() {
      for (int w = 0; w < WORDS; w++) {
        long both = pending.get(w) & enabled.get(w);
        if (both != 0) {
          int identity = w * Long.SIZE + Long.numberOfTrailingZeros(both);
          return threshold != 0 && identity >= threshold ? NONE : identity;
        }
      }
      return NONE;
    }
  }
}
