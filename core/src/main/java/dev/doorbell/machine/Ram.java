package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// RAM of the embedded machine. Only the parts that were written take room in this process, so that a machine of hundreds of
/// gigabytes costs nothing; what was never written reads as zero.
///
/// Accesses of up to 8 bytes are atomic and ordered (acquire, release). Safe for use from many threads.
final class Ram implements PhysicalMemory {
  private static final int CHUNK_SHIFT = 16;
  private static final int CHUNK = 1 << CHUNK_SHIFT;
  private static final long MOST_BYTES = 128 * Sizes.TIB;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS = LONG.varHandle();
  private static final VarHandle INTS = INT.varHandle();
  private static final VarHandle SHORTS = SHORT.varHandle();
  private static final VarHandle BYTES = ValueLayout.JAVA_BYTE.varHandle();

  private final Bank[] banks;

  /// @param ranges RAM, disjoint; a bank larger than 2^47 bytes is refused
  Ram(List<AddressRange> ranges) {
    banks = ranges.stream().sorted(Comparator.naturalOrder()).map(Bank::new).toArray(Bank[]::new);
  }

  private static final class Bank {
    private final long start;
    private final long bytes;
    private final AtomicReferenceArray<MemorySegment> chunks;

    Bank(AddressRange range) {
      start = range.start();
      bytes = range.bytes();
      if (bytes <= 0 || bytes >= MOST_BYTES) {
        throw new IllegalArgumentException("a bank of RAM at " + range + " is too large");
      }
      chunks = new AtomicReferenceArray<>((int) ((bytes + CHUNK - 1) >>> CHUNK_SHIFT));
    }

    MemorySegment chunk(long at) {
      int index = (int) (at >>> CHUNK_SHIFT);
      MemorySegment chunk = chunks.get(index);
      return chunk != null ? chunk : add(index);
    }

    /// A long array, because its elements are aligned to 8 bytes.
    private MemorySegment add(int index) {
      MemorySegment fresh = MemorySegment.ofArray(new long[CHUNK / Long.BYTES]);
      MemorySegment other = chunks.compareAndExchange(index, null, fresh);
      return other == null ? fresh : other;
    }
  }

  /// {@return whether an access lies in RAM and within one aligned unit of its size}
  boolean holds(long pa, int bytes) {
    return (pa & (bytes - 1)) == 0 && bank(pa, bytes) != null;
  }

  /// {@return whether a range has RAM in it}
  boolean meets(AddressRange range) {
    for (Bank b : banks) {
      if (AddressRange.ofSize(b.start, b.bytes).overlaps(range)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public long read(long pa, int bytes) {
    Bank b = bankOf("read", pa, bytes);
    long at = pa - b.start;
    MemorySegment chunk = b.chunk(at);
    long offset = at & (CHUNK - 1);
    return switch (bytes) {
      case Long.BYTES -> (long) LONGS.getAcquire(chunk, offset);
      case Integer.BYTES -> Integer.toUnsignedLong((int) INTS.getAcquire(chunk, offset));
      case Short.BYTES -> Short.toUnsignedLong((short) SHORTS.getAcquire(chunk, offset));
      default -> Byte.toUnsignedLong((byte) BYTES.get(chunk, offset));
    };
  }

  @Override
  public void write(long pa, long value, int bytes) {
    Bank b = bankOf("write", pa, bytes);
    long at = pa - b.start;
    MemorySegment chunk = b.chunk(at);
    long offset = at & (CHUNK - 1);
    switch (bytes) {
      case Long.BYTES -> LONGS.setRelease(chunk, offset, value);
      case Integer.BYTES -> INTS.setRelease(chunk, offset, (int) value);
      case Short.BYTES -> SHORTS.setRelease(chunk, offset, (short) value);
      default -> BYTES.set(chunk, offset, (byte) value);
    }
  }

  @Override
  public void read(long pa, byte[] into) {
    for (int done = 0; done < into.length; ) {
      Bank b = bankOf("read", pa + done, 1);
      int run = run(b, pa + done, into.length - done);
      MemorySegment.copy(
          b.chunk(pa + done - b.start),
          ValueLayout.JAVA_BYTE,
          (pa + done - b.start) & (CHUNK - 1),
          into,
          done,
          run);
      done += run;
    }
  }

  @Override
  public void write(long pa, byte[] from) {
    for (int done = 0; done < from.length; ) {
      Bank b = bankOf("write", pa + done, 1);
      int run = run(b, pa + done, from.length - done);
      MemorySegment.copy(
          from,
          done,
          b.chunk(pa + done - b.start),
          ValueLayout.JAVA_BYTE,
          (pa + done - b.start) & (CHUNK - 1),
          run);
      done += run;
    }
    publish();
  }

  @Override
  public void fill(long pa, long bytes, byte value) {
    for (long done = 0; done < bytes; ) {
      Bank b = bankOf("fill", pa + done, 1);
      int run = run(b, pa + done, bytes - done);
      long at = pa + done - b.start;
      if (value != 0 || b.chunks.get((int) (at >>> CHUNK_SHIFT)) != null) {
        b.chunk(at).asSlice(at & (CHUNK - 1), run).fill(value);
      }
      done += run;
    }
    publish();
  }

  /// Writes and reads of pairs exclude one another; they are made when tables change and when entries are fetched, never for each access.
  @Override
  public boolean write128(long pa, long low, long high) {
    bankOf("write", pa, 2 * Long.BYTES);
    synchronized (banks) {
      write(pa, low, Long.BYTES);
      write(pa + Long.BYTES, high, Long.BYTES);
    }
    return true;
  }

  @Override
  public void read128(long pa, long[] into) {
    bankOf("read", pa, 2 * Long.BYTES);
    synchronized (banks) {
      into[0] = read(pa, Long.BYTES);
      into[1] = read(pa + Long.BYTES, Long.BYTES);
    }
  }

  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    Bank b = bankOf("update", pa, Long.BYTES);
    long at = pa - b.start;
    return LONGS.compareAndSet(b.chunk(at), at & (CHUNK - 1), expected, next);
  }

  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  private static int run(Bank b, long pa, long wanted) {
    long at = pa - b.start;
    long toChunkEnd = CHUNK - (at & (CHUNK - 1));
    return (int) Math.min(wanted, Math.min(toChunkEnd, b.bytes - at));
  }

  private Bank bankOf(String operation, long pa, int bytes) {
    Bank b = bank(pa, bytes);
    if (b == null || (pa & (bytes - 1)) != 0) {
      throw new BusErrorException(operation, pa, bytes);
    }
    return b;
  }

  private @org.jspecify.annotations.Nullable Bank bank(long pa, int bytes) {
    for (Bank b : banks) {
      long at = pa - b.start;
      if (at >= 0 && at <= b.bytes - bytes) {
        return b;
      }
    }
    return null;
  }
}
