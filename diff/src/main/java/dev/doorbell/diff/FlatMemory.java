package dev.doorbell.diff;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// One bank of RAM.
final class FlatMemory implements PhysicalMemory {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long start;
  private final MemorySegment bytes;

  private final boolean board;

  private FlatMemory(long start, int size, boolean board) {
    this.start = start;
    this.board = board;
    bytes = MemorySegment.ofArray(new long[size / Long.BYTES]);
  }

  /// {@return RAM with nothing around it}
  static FlatMemory of(long start, int size) {
    return new FlatMemory(start, size, false);
  }

  /// {@return the RAM of {@link Board}, with what answers around it}
  static FlatMemory ofBoard() {
    return new FlatMemory(Board.RAM, Board.RAM_BYTES, true);
  }

  /// {@return whether an access lies in this bank, aligned}
  boolean holds(long pa, int size) {
    long at = pa - start;
    return at >= 0 && at <= bytes.byteSize() - size && (pa & (size - 1)) == 0;
  }

  /// What QEMU's machine answers where it has neither RAM nor registers: zero in its empty flash, all ones in its PCI windows.
  private static boolean isFlash(long pa) {
    return pa >= 0 && pa < Board.GICD;
  }

  private static boolean isPciWindow(long pa) {
    return (pa >= Board.PCI_LOW && pa < Board.PCI_LOW_END)
        || (pa >= Board.PCI_HIGH && pa < 2 * Board.PCI_HIGH);
  }

  private long at(String operation, long pa, int size) {
    if (!holds(pa, size)) {
      throw new BusErrorException(operation, pa, size);
    }
    return pa - start;
  }

  @Override
  public long read(long pa, int size) {
    if (board && isFlash(pa)) {
      return 0;
    }
    if (board && isPciWindow(pa)) {
      return -1L >>> (Long.SIZE - size * Byte.SIZE);
    }
    long at = at("read", pa, size);
    return switch (size) {
      case Long.BYTES -> bytes.get(LONG, at);
      case Integer.BYTES -> Integer.toUnsignedLong(bytes.get(INT, at));
      case Short.BYTES -> Short.toUnsignedLong(bytes.get(SHORT, at));
      default -> Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, at));
    };
  }

  @Override
  public void write(long pa, long value, int size) {
    long at = at("write", pa, size);
    switch (size) {
      case Long.BYTES -> bytes.set(LONG, at, value);
      case Integer.BYTES -> bytes.set(INT, at, (int) value);
      case Short.BYTES -> bytes.set(SHORT, at, (short) value);
      default -> bytes.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }
  }

  @Override
  public void read(long pa, byte[] into) {
    long at = range("read", pa, into.length);
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, into, 0, into.length);
  }

  @Override
  public void write(long pa, byte[] from) {
    long at = range("write", pa, from.length);
    MemorySegment.copy(from, 0, bytes, ValueLayout.JAVA_BYTE, at, from.length);
  }

  @Override
  public void fill(long pa, long size, byte value) {
    bytes.asSlice(range("fill", pa, size), size).fill(value);
  }

  private long range(String operation, long pa, long size) {
    long at = pa - start;
    if (at < 0 || size > bytes.byteSize() - at) {
      throw new BusErrorException(operation, pa, 1);
    }
    return at;
  }

  /// One thread at a time uses this memory.
  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    boolean same = read(pa, Long.BYTES) == expected;
    if (same) {
      write(pa, next, Long.BYTES);
    }
    return same;
  }

  @Override
  public void publish() {}
}
