package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.InUse;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Optional;

/// Memory of this process that a container may map.
final class ProcessBuffer implements DmaBuffer {
  private static final ValueLayout.OfShort SHORT =
      JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// The memory, shared by all parts.
  private static final class Run {
    /// Ends the memory with the buffer; of memory that was wrapped, nothing.
    final Runnable end;

    final AddressRange whole;

    int maps;
    boolean closed;

    Run(Runnable end, MemorySegment memory) {
      this.end = end;
      this.whole = AddressRange.ofSize(memory.address(), memory.byteSize());
    }
  }

  private final Run run;
  private final MemorySegment memory;
  private final boolean whole;

  private ProcessBuffer(Run run, MemorySegment memory, boolean whole) {
    this.run = run;
    this.memory = memory;
    this.whole = whole;
  }

  private static long whole(long bytes, long unit) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a buffer of " + bytes + " bytes is none");
    }
    return Math.ceilDiv(bytes, unit) * unit;
  }

  /// {@return zeroed memory of the process, in pages of its own}
  // The arena is closed by the buffer.
  @SuppressWarnings("MustBeClosedChecker")
  static ProcessBuffer allocate(Kernel kernel, long bytes, Granule granule) {
    long whole = whole(bytes, granule.bytes());
    Arena arena = Arena.ofShared();
    try {
      int flags = KernelConstants.MAP_PRIVATE | KernelConstants.MAP_ANONYMOUS;
      MemorySegment m = kernel.map(arena, whole, flags, -1, "a DMA buffer");
      return new ProcessBuffer(new Run(arena::close, m), m, true);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /// {@return zeroed memory of the process, in huge pages of the kernel's usual size}
  // The arena is closed by the buffer.
  @SuppressWarnings("MustBeClosedChecker")
  static ProcessBuffer allocateHuge(Kernel kernel, HostFiles files, long bytes) {
    HugePages pages = HugePages.of(files);
    long whole = whole(bytes, pages.bytes());
    Arena arena = Arena.ofShared();
    try {
      int flags =
          KernelConstants.MAP_PRIVATE | KernelConstants.MAP_ANONYMOUS | KernelConstants.MAP_HUGETLB;
      Kernel.FilePart part = new Kernel.FilePart(-1, 0, whole);
      MemorySegment m =
          kernel.map(arena, part, flags, "a DMA buffer", e -> pages.refused(e, whole));
      return new ProcessBuffer(new Run(arena::close, m), m, true);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /// {@return somebody's native memory}
  static ProcessBuffer of(MemorySegment memory) {
    return new ProcessBuffer(new Run(() -> {}, memory), memory, true);
  }

  long address() {
    return memory.address();
  }

  /// {@return all of the memory that this is a part of}
  AddressRange whole() {
    return run.whole;
  }

  /// Counts a mapping, which keeps the memory.
  void mapped() {
    synchronized (run) {
      requireOpen();
      run.maps++;
    }
  }

  void unmapped() {
    synchronized (run) {
      run.maps--;
    }
  }

  @Override
  public long bytes() {
    return memory.byteSize();
  }

  @Override
  public long read(long offset, int size) {
    MemorySegment m = open();
    return switch (size) {
      case Byte.BYTES -> Byte.toUnsignedLong(m.get(JAVA_BYTE, offset));
      case Short.BYTES -> Short.toUnsignedLong(m.get(SHORT, offset));
      case Integer.BYTES -> Integer.toUnsignedLong(m.get(INT, offset));
      case Long.BYTES -> m.get(LONG, offset);
      default -> throw noSize(size);
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    MemorySegment m = open();
    switch (size) {
      case Byte.BYTES -> m.set(JAVA_BYTE, offset, (byte) value);
      case Short.BYTES -> m.set(SHORT, offset, (short) value);
      case Integer.BYTES -> m.set(INT, offset, (int) value);
      case Long.BYTES -> m.set(LONG, offset, value);
      default -> throw noSize(size);
    }
  }

  private static IllegalArgumentException noSize(int size) {
    return new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + size);
  }

  @Override
  public void read(long offset, byte[] into) {
    MemorySegment.copy(open(), JAVA_BYTE, offset, into, 0, into.length);
  }

  @Override
  public void write(long offset, byte[] from) {
    MemorySegment.copy(from, 0, open(), JAVA_BYTE, offset, from.length);
  }

  /// Orders writes of this process; a register write through the kernel, which follows, has the barrier that a device needs.
  @Override
  public void publish() {
    VarHandle.fullFence();
  }

  @Override
  public DmaBuffer part(AddressRange part) {
    return new ProcessBuffer(run, memory.asSlice(part.start(), part.bytes()), false);
  }

  @Override
  public Optional<MemorySegment> segment() {
    return Optional.of(open());
  }

  @Override
  public void close() {
    synchronized (run) {
      if (!whole || run.closed) {
        return;
      }
      if (run.maps > 0) {
        throw new InUse(
            "give a buffer of 0x%x bytes back".formatted(bytes()), "the buffer", "a container");
      }
      run.closed = true;
      run.end.run();
    }
  }

  private MemorySegment open() {
    synchronized (run) {
      requireOpen();
    }
    return memory;
  }

  private void requireOpen() {
    if (run.closed) {
      throw new IllegalStateException("the buffer was given back");
    }
  }
}
