package dev.doorbell.hw.gicits;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Memory in one array, whose single accesses allocate nothing.
final class FlatMemory implements PhysicalMemory {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private final long start;
  private final byte[] bytes;

  FlatMemory(long start, int size) {
    this.start = start;
    bytes = new byte[size];
  }

  @Override
  public long read(long pa, int size) {
    int at = at("read", pa, size);
    return switch (size) {
      case 1 -> bytes[at] & 0xff;
      case 4 -> Integer.toUnsignedLong((int) INTS.get(bytes, at));
      default -> (long) LONGS.get(bytes, at);
    };
  }

  @Override
  public void write(long pa, long value, int size) {
    int at = at("write", pa, size);
    switch (size) {
      case 1 -> bytes[at] = (byte) value;
      case 4 -> INTS.set(bytes, at, (int) value);
      default -> LONGS.set(bytes, at, value);
    }
  }

  @Override
  public void read(long pa, byte[] into) {
    System.arraycopy(bytes, at("read", pa, 1), into, 0, into.length);
  }

  @Override
  public void write(long pa, byte[] from) {
    System.arraycopy(from, 0, bytes, at("write", pa, 1), from.length);
  }

  @Override
  public void fill(long pa, long count, byte value) {
    int at = at("fill", pa, 1);
    Arrays.fill(bytes, at, at + (int) count, value);
  }

  @Override
  public synchronized boolean compareAndSet64(long pa, long expected, long next) {
    boolean same = read(pa, Long.BYTES) == expected;
    if (same) {
      write(pa, next, Long.BYTES);
    }
    return same;
  }

  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  private int at(String operation, long pa, int size) {
    if (pa < start || pa - start > bytes.length - size) {
      throw new BusErrorException(operation, pa, size);
    }
    return (int) (pa - start);
  }
}
