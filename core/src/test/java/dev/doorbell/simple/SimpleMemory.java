package dev.doorbell.simple;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.TreeMap;

/// Some memory of a machine, and its frames, first fit.
public final class SimpleMemory implements PhysicalMemory, Frames {
  private final long start;
  private final ByteBuffer bytes;
  private final TreeMap<Long, Long> taken = new TreeMap<>();

  public SimpleMemory(long start, int size) {
    this.start = start;
    this.bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  public boolean holds(long pa, long size) {
    return Long.compareUnsigned(pa - start, bytes.capacity() - size) <= 0;
  }

  private int at(String what, long pa, int size) {
    if (!holds(pa, size)) {
      throw new BusErrorException(what, pa, size);
    }
    return (int) (pa - start);
  }

  @Override
  public synchronized long read(long pa, int size) {
    int at = at("read", pa, size);
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | bytes.get(at + i) & 0xff;
    }
    return value;
  }

  @Override
  public synchronized void write(long pa, long value, int size) {
    int at = at("write", pa, size);
    for (int i = 0; i < size; i++) {
      bytes.put(at + i, (byte) (value >>> 8 * i));
    }
  }

  @Override
  public synchronized void read(long pa, byte[] into) {
    bytes.get(at("read", pa, into.length), into);
  }

  @Override
  public synchronized void write(long pa, byte[] from) {
    bytes.put(at("write", pa, from.length), from);
  }

  @Override
  public synchronized void fill(long pa, long size, byte value) {
    int at = at("fill", pa, (int) size);
    Arrays.fill(bytes.array(), at, at + (int) size, value);
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
    // Nothing is ever kept back.
  }

  @Override
  public synchronized Pa allocate(long size, long alignment) {
    long at = Math.ceilDiv(start, alignment) * alignment;
    for (var e : taken.entrySet()) {
      if (at + size <= e.getKey()) {
        break;
      }
      at = Math.ceilDiv(Math.max(at, e.getKey() + e.getValue()), alignment) * alignment;
    }
    if (!holds(at, size)) {
      throw new OutOfFramesException(size, bytes.capacity() - bytesInUse());
    }
    taken.put(at, size);
    fill(at, size, (byte) 0);
    return new Pa(at);
  }

  @Override
  public synchronized void free(Pa at, long size) {
    if (!taken.remove(at.value(), size)) {
      throw new IllegalStateException("no frames were taken at " + at);
    }
  }

  @Override
  public synchronized long bytesInUse() {
    return taken.values().stream().mapToLong(Long::longValue).sum();
  }
}
