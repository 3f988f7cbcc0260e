package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.testkit.RawSmmu;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Memory in one array, whose reads allocate nothing.
final class ArrayMemory implements PhysicalMemory, RawSmmu.Quadwords {
  private static final VarHandle QUAD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final long base;
  private final byte[] bytes;
  private Runnable beforeSwap = () -> {};

  ArrayMemory(long base, int size) {
    this.base = base;
    bytes = new byte[size];
  }

  private int at(String operation, long pa, int size) {
    if (pa < base || pa + size > base + bytes.length) {
      throw new BusErrorException(operation, pa, size);
    }
    return (int) (pa - base);
  }

  @Override
  public long read(long pa, int size) {
    int at = at("read", pa, size);
    return switch (size) {
      case 8 -> (long) QUAD.get(bytes, at);
      case 4 -> Integer.toUnsignedLong((int) WORD.get(bytes, at));
      default -> bytes[at] & 0xff;
    };
  }

  @Override
  public void write(long pa, long value, int size) {
    int at = at("write", pa, size);
    switch (size) {
      case 8 -> QUAD.set(bytes, at, value);
      case 4 -> WORD.set(bytes, at, (int) value);
      default -> bytes[at] = (byte) value;
    }
  }

  /// Does something once, before the next atomic update.
  void beforeSwap(Runnable once) {
    beforeSwap = once;
  }

  /// Not atomic: one thread alone updates here.
  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    Runnable once = beforeSwap;
    beforeSwap = () -> {};
    once.run();
    boolean same = read64(pa) == expected;
    if (same) {
      write64(pa, next);
    }
    return same;
  }

  @Override
  public void read(long pa, byte[] into) {
    System.arraycopy(bytes, at("read", pa, into.length), into, 0, into.length);
  }

  @Override
  public void write(long pa, byte[] from) {
    System.arraycopy(from, 0, bytes, at("write", pa, from.length), from.length);
  }

  @Override
  public void fill(long pa, long count, byte value) {
    int at = at("fill", pa, (int) count);
    Arrays.fill(bytes, at, at + (int) count, value);
  }

  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  @Override
  public long get(long address) {
    return read64(address);
  }

  @Override
  public void put(long address, long value) {
    write64(address, value);
  }
}
