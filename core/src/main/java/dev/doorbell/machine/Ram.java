package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Quadwords;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;

/// RAM of the embedded machine. Only the parts that were written take room in this process, so that a machine of hundreds of
/// gigabytes costs nothing; what was never written reads as zero.
///
/// Accesses of up to 8 bytes are atomic and ordered (acquire, release). Safe for use from many threads.
final class Ram implements PhysicalMemory {
  private static final int CHUNK_SHIFT = 16;
  private static final int CHUNK = 1 << CHUNK_SHIFT;
  private static final long MOST_BYTES = 128 * Sizes.TIB;
  // Of all families here RISC-V's and Arm's (FEAT_D128) physical addresses are the widest.
  private static final long ADDRESSES = 65_536 * Sizes.TIB;
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle CHUNKS = MethodHandles.arrayElementVarHandle(long[][].class);
  private static final boolean SWAPPED = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;

  private final Bank[] banks;

  /// @param ranges RAM, disjoint; a bank of 2^47 bytes and more, or beyond 2^56, is refused
  Ram(List<AddressRange> ranges) {
    banks = ranges.stream().sorted(Comparator.naturalOrder()).map(Bank::new).toArray(Bank[]::new);
  }

  /// {@return whether a bank can be so large, and lie where it does}
  static boolean canHold(AddressRange bank) {
    return bank.bytes() > 0
        && bank.bytes() < MOST_BYTES
        && Long.compareUnsigned(bank.last(), ADDRESSES) < 0;
  }

  private static final class Bank {
    private final long start;
    private final long bytes;
    // Where the first chunk starts: not above the bank, and aligned as quadwords are.
    private final long origin;
    // Quadwords, which everything up to their size is read from and written to.
    private final long[][] chunks;

    Bank(AddressRange range) {
      start = range.start();
      bytes = range.bytes();
      origin = start & -Long.BYTES;
      if (!canHold(range)) {
        throw new IllegalArgumentException("a bank of RAM at " + range + " cannot be held");
      }
      chunks = new long[(int) ((bytes + CHUNK + Long.BYTES - 2) >>> CHUNK_SHIFT)][];
    }

    boolean has(long at) {
      return CHUNKS.getAcquire(chunks, (int) (at >>> CHUNK_SHIFT)) != null;
    }

    long[] chunk(long at) {
      int index = (int) (at >>> CHUNK_SHIFT);
      long[] chunk = (long[]) CHUNKS.getAcquire(chunks, index);
      return chunk != null ? chunk : add(index);
    }

    private long[] add(int index) {
      long[] fresh = new long[CHUNK / Long.BYTES];
      long[] other = (long[]) CHUNKS.compareAndExchange(chunks, index, (long[]) null, fresh);
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
    long at = pa - b.origin;
    long word = littleEndian((long) LONGS.getAcquire(b.chunk(at), index(at)));
    return bytes == Long.BYTES
        ? word
        : word >>> (at & (Long.BYTES - 1)) * Byte.SIZE & (1L << bytes * Byte.SIZE) - 1;
  }

  private static int index(long at) {
    return (int) (at & (CHUNK - 1)) / Long.BYTES;
  }

  private static long littleEndian(long word) {
    return SWAPPED ? Long.reverseBytes(word) : word;
  }

  @Override
  public void write(long pa, long value, int bytes) {
    Bank b = bankOf("write", pa, bytes);
    long at = pa - b.origin;
    long[] chunk = b.chunk(at);
    if (bytes == Long.BYTES) {
      LONGS.setRelease(chunk, index(at), littleEndian(value));
    } else {
      int shift = (int) (at & (Long.BYTES - 1)) * Byte.SIZE;
      merge(chunk, index(at), value << shift, (1L << bytes * Byte.SIZE) - 1 << shift);
    }
  }

  // What lies beside it in the quadword stays, whoever writes that at the same time.
  private static void merge(long[] chunk, int index, long value, long mask) {
    long old;
    long merged;
    do {
      old = (long) LONGS.getOpaque(chunk, index);
      merged = littleEndian(littleEndian(old) & ~mask | value & mask);
    } while (!LONGS.weakCompareAndSetRelease(chunk, index, old, merged));
  }

  @Override
  public void read(long pa, byte[] into) {
    for (int done = 0; done < into.length; ) {
      Bank b = bankOf("read", pa + done, 1);
      int run = run(b, pa + done, into.length - done);
      MemorySegment.copy(
          MemorySegment.ofArray(b.chunk(pa + done - b.origin)),
          ValueLayout.JAVA_BYTE,
          (pa + done - b.origin) & (CHUNK - 1),
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
          MemorySegment.ofArray(b.chunk(pa + done - b.origin)),
          ValueLayout.JAVA_BYTE,
          (pa + done - b.origin) & (CHUNK - 1),
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
      long at = pa + done - b.origin;
      if (value != 0 || b.has(at)) {
        MemorySegment.ofArray(b.chunk(at)).asSlice(at & (CHUNK - 1), run).fill(value);
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
    long at = pa - b.origin;
    return LONGS.compareAndSet(b.chunk(at), index(at), littleEndian(expected), littleEndian(next));
  }

  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  private static int run(Bank b, long pa, long wanted) {
    long toChunkEnd = CHUNK - (pa - b.origin & (CHUNK - 1));
    return (int) Math.min(wanted, Math.min(toChunkEnd, b.bytes - (pa - b.start)));
  }

  /// Those of one chunk are found by an index; chunks stay where they are.
  @Override
  public Quadwords quadwords(long pa, int count) {
    Bank b = bank(pa, Long.BYTES);
    long bytes = (long) count * Long.BYTES;
    if (b == null || (pa & (Long.BYTES - 1)) != 0 || bytes > b.bytes - (pa - b.start)) {
      return PhysicalMemory.super.quadwords(pa, count);
    }
    long at = pa - b.origin;
    return (at & (CHUNK - 1)) + bytes > CHUNK
        ? PhysicalMemory.super.quadwords(pa, count)
        : new Run(b.chunk(at), index(at));
  }

  private record Run(long[] chunk, int first) implements Quadwords {
    @Override
    public long get(int index) {
      return littleEndian((long) LONGS.getAcquire(chunk, first + index));
    }

    @Override
    public boolean compareAndSet(int index, long expected, long next) {
      return LONGS.compareAndSet(chunk, first + index, littleEndian(expected), littleEndian(next));
    }
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
