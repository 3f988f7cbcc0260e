package dev.doorbell.simple;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Memory of one range of addresses, made of pages that appear when they are written; no other access allocates anything. Keeps a count of publishes and can call back at
/// every 64-bit write, which is how tests look at a table between two writes.
public final class PlainMemory implements PhysicalMemory {
  /// Called after each 64-bit write.
  @FunctionalInterface
  public interface WriteListener {
    void written(long pa, long before, long after);
  }

  private static final int PAGE = 4096;
  private static final VarHandle QUAD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final long start;
  private final long bytes;
  private final byte[] @Nullable [] pages;
  private WriteListener listener = (pa, before, after) -> {};
  private long watched = -1;
  private Runnable afterRead = () -> {};
  private int publishes;

  public PlainMemory(long start, long bytes) {
    this.start = start;
    this.bytes = bytes;
    pages = new byte[Math.toIntExact(place(start + bytes - 1) + 1)][];
  }

  private int place(long pa) {
    return Math.toIntExact(pa / PAGE - start / PAGE);
  }

  /// {@return a page to write to}
  private byte[] page(long pa) {
    int place = place(pa);
    byte[] page = pages[place];
    if (page == null) {
      page = new byte[PAGE];
      pages[place] = page;
    }
    return page;
  }

  /// Has somebody told, once, after the next 64-bit read of an address.
  public synchronized void afterRead(long pa, Runnable called) {
    watched = pa;
    afterRead = called;
  }

  public void onWrite(WriteListener called) {
    listener = called;
  }

  public int publishes() {
    return publishes;
  }

  @Override
  public synchronized long read(long pa, int size) {
    check("read", pa, size);
    byte @Nullable [] page = pages[place(pa)];
    if (size == Long.BYTES) {
      long quad = page == null ? 0 : (long) QUAD.get(page, (int) (pa % PAGE));
      if (pa == watched) {
        Runnable called = afterRead;
        afterRead = () -> {};
        watched = -1;
        called.run();
      }
      return quad;
    }
    long value = 0;
    for (int i = size - 1; page != null && i >= 0; i--) {
      value = value << 8 | (page[(int) (pa % PAGE) + i] & 0xff);
    }
    return value;
  }

  @Override
  public synchronized void write(long pa, long value, int size) {
    check("write", pa, size);
    long before = size == Long.BYTES ? read(pa, size) : 0;
    byte[] page = page(pa);
    for (int i = 0; i < size; i++) {
      page[(int) (pa % PAGE) + i] = (byte) (value >>> (8 * i));
    }
    if (size == Long.BYTES) {
      listener.written(pa, before, value);
    }
  }

  @Override
  public synchronized void read(long pa, byte[] into) {
    for (int done = 0; done < into.length; ) {
      check("read", pa + done, 1);
      int count = untilPageEnd(pa + done, into.length - done);
      byte @Nullable [] page = pages[place(pa + done)];
      if (page == null) {
        Arrays.fill(into, done, done + count, (byte) 0);
      } else {
        System.arraycopy(page, (int) ((pa + done) % PAGE), into, done, count);
      }
      done += count;
    }
  }

  @Override
  public synchronized void write(long pa, byte[] from) {
    for (int done = 0; done < from.length; ) {
      check("write", pa + done, 1);
      int count = untilPageEnd(pa + done, from.length - done);
      byte[] page = page(pa + done);
      System.arraycopy(from, done, page, (int) ((pa + done) % PAGE), count);
      done += count;
    }
  }

  /// What lies behind the range ends the copy at its page, as the range is made of whole ones.
  private static int untilPageEnd(long pa, int wanted) {
    return (int) Math.min(wanted, PAGE - pa % PAGE);
  }

  @Override
  public synchronized void fill(long pa, long count, byte value) {
    for (long at = pa; at < pa + count; at = (at / PAGE + 1) * PAGE) {
      check("fill", at, 1);
      long end = Math.min(pa + count, (at / PAGE + 1) * PAGE);
      if (value == 0 && at % PAGE == 0 && end - at == PAGE) {
        pages[place(at)] = null;
      } else {
        byte[] page = page(at);
        Arrays.fill(page, (int) (at % PAGE), (int) (at % PAGE + (end - at)), value);
      }
    }
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
  public synchronized boolean write128(long pa, long low, long high) {
    check("write", pa, 2 * Long.BYTES);
    write(pa, low, Long.BYTES);
    write(pa + Long.BYTES, high, Long.BYTES);
    return true;
  }

  @Override
  public synchronized void read128(long pa, long[] into) {
    PhysicalMemory.super.read128(pa, into);
  }

  @Override
  public void publish() {
    publishes++;
  }

  private void check(String operation, long pa, int size) {
    if (pa % size != 0 || pa < start || pa - start > bytes - size) {
      throw new BusErrorException(operation, pa, size);
    }
  }
}
