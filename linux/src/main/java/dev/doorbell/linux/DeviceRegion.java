package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// One region of an open function, reached by reads and writes of its file: the kernel makes each access, with the barriers that belong to
/// it, in the size asked for where the architecture has it.
///
/// @param device the function's file
/// @param name for messages
/// @param offset where the region begins in the file
/// @param bytes its size
/// @param flags of `struct vfio_region_info`
/// @param mappable parts that the kernel lets a user map, by offset in the region
record DeviceRegion(
    Descriptor device, String name, long offset, long bytes, int flags, List<AddressRange> mappable)
    implements RegisterBus {
  /// What an access carries; one a thread.
  private static final ThreadLocal<MemorySegment> WORD =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(JAVA_LONG));

  /// {@return what the kernel lets map of some parts, such as those without the pages of an MSI-X table}
  List<AddressRange> mappableWithin(List<AddressRange> parts) {
    List<AddressRange> out = new ArrayList<>();
    for (AddressRange x : mappable) {
      parts.forEach(y -> x.intersection(y).ifPresent(out::add));
    }
    return out;
  }

  boolean isReadable() {
    return (flags & VfioLayout.REGION_READ) != 0;
  }

  boolean isWritable() {
    return (flags & VfioLayout.REGION_WRITE) != 0;
  }

  @Override
  public long read(long at, int size) {
    check(at, size);
    MemorySegment word = WORD.get();
    done(device.tryRead(word.asSlice(0, size), offset + at), size, "pread", at);
    return switch (size) {
      case Byte.BYTES -> Byte.toUnsignedLong(word.get(JAVA_BYTE, 0));
      case Short.BYTES -> Short.toUnsignedLong(word.get(JAVA_SHORT, 0));
      case Integer.BYTES -> Integer.toUnsignedLong(word.get(JAVA_INT, 0));
      default -> word.get(JAVA_LONG, 0);
    };
  }

  @Override
  public void write(long at, long value, int size) {
    check(at, size);
    MemorySegment word = WORD.get();
    switch (size) {
      case Byte.BYTES -> word.set(JAVA_BYTE, 0, (byte) value);
      case Short.BYTES -> word.set(JAVA_SHORT, 0, (short) value);
      case Integer.BYTES -> word.set(JAVA_INT, 0, (int) value);
      default -> word.set(JAVA_LONG, 0, value);
    }
    done(device.tryWrite(word.asSlice(0, size), offset + at), size, "pwrite", at);
  }

  private void done(long n, int size, String call, long at) {
    String target = "%s+0x%x".formatted(name, at);
    if (Kernel.check(n, call, target) != size) {
      throw new ErrnoException(
          call,
          target,
          Errno.EIO,
          new Because(
              "the kernel made %d of %d bytes".formatted(n, size),
              "look at `dmesg`: the device may be gone"));
    }
  }

  private void check(long at, int size) {
    boolean whole = size == 1 || size == 2 || size == 4 || size == 8;
    if (!whole || at < 0 || at % size != 0 || at > bytes - size) {
      throw new IllegalArgumentException(
          "access of %d bytes at 0x%x of %s, which has 0x%x bytes"
              .formatted(size, at, name, bytes));
    }
  }

  /// {@return a part of it, mapped into this process until an arena closes}
  ///
  /// @throws ErrnoException when the kernel refuses
  MemorySegment map(Arena arena, AddressRange part, Because.Teller why) {
    int fd = device.acquire();
    try {
      return device
          .kernel()
          .map(
              arena,
              new Kernel.FilePart(fd, offset + part.start(), part.bytes()),
              KernelConstants.MAP_SHARED,
              name,
              why);
    } finally {
      device.release();
    }
  }

  /// {@return the region as a configuration space}
  ConfigSpace asConfig() {
    return new ConfigSpace() {
      @Override
      public int size() {
        return (int) bytes;
      }

      @Override
      public int read(int at, int size) {
        ConfigSpace.check(at, size);
        return at + size > bytes
            ? (int) (-1L >>> (Long.SIZE - size * Byte.SIZE))
            : (int) DeviceRegion.this.read(at, size);
      }

      @Override
      public void write(int at, int value, int size) {
        ConfigSpace.check(at, size);
        if (at + size <= bytes) {
          DeviceRegion.this.write(at, Integer.toUnsignedLong(value), size);
        }
      }
    };
  }
}
