package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The RAM of QEMU's machine, shared with this process: reading and writing it costs no command. QEMU's devices see each write at once.
///
/// Accesses of up to 8 bytes are atomic and ordered (acquire, release). Safe for use from many threads. After the process is closed every
/// access throws {@link IllegalStateException}.
final class GuestRam implements PhysicalMemory {
  private static final VarHandle LONGS =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle INTS =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle SHORTS =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle BYTES = ValueLayout.JAVA_BYTE.varHandle();

  private final MemorySegment bytes;
  private final AddressRange range;

  /// @param start physical address of its first byte
  GuestRam(MemorySegment bytes, long start) {
    this.bytes = bytes;
    range = AddressRange.ofSize(start, bytes.byteSize());
  }

  /// {@return where it lies}
  AddressRange range() {
    return range;
  }

  @Override
  public long read(long pa, int size) {
    long at = offset("read", pa, size);
    return switch (size) {
      case 1 -> (byte) BYTES.getAcquire(bytes, at) & 0xffL;
      case 2 -> (short) SHORTS.getAcquire(bytes, at) & 0xffffL;
      case 4 -> Integer.toUnsignedLong((int) INTS.getAcquire(bytes, at));
      case 8 -> (long) LONGS.getAcquire(bytes, at);
      default -> throw new BusErrorException("read", pa, size);
    };
  }

  @Override
  public void write(long pa, long value, int size) {
    long at = offset("write", pa, size);
    switch (size) {
      case 1 -> BYTES.setRelease(bytes, at, (byte) value);
      case 2 -> SHORTS.setRelease(bytes, at, (short) value);
      case 4 -> INTS.setRelease(bytes, at, (int) value);
      case 8 -> LONGS.setRelease(bytes, at, value);
      default -> throw new BusErrorException("write", pa, size);
    }
  }

  @Override
  public void read(long pa, byte[] into) {
    MemorySegment.copy(
        bytes, ValueLayout.JAVA_BYTE, run("read", pa, into.length), into, 0, into.length);
  }

  @Override
  public void write(long pa, byte[] from) {
    MemorySegment.copy(
        from, 0, bytes, ValueLayout.JAVA_BYTE, run("write", pa, from.length), from.length);
  }

  @Override
  public void fill(long pa, long count, byte value) {
    bytes.asSlice(run("fill", pa, count), count).fill(value);
  }

  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    return LONGS.compareAndSet(bytes, offset("update", pa, Long.BYTES), expected, next);
  }

  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  private long offset(String operation, long pa, int size) {
    if (pa % size != 0) {
      throw new BusErrorException("unaligned " + operation, pa, size);
    }
    return run(operation, pa, size);
  }

  private long run(String operation, long pa, long count) {
    long at = pa - range.start();
    if (count < 0 || at < 0 || at > bytes.byteSize() - count) {
      throw new BusErrorException(operation, pa, (int) Math.min(count, Integer.MAX_VALUE));
    }
    return at;
  }
}
