package dev.doorbell.linux;

import dev.doorbell.address.Granule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory with a descriptor, so that it can be passed to another process and shared with it.
///
/// **Source**: `memfd_create(2)`
public final class MemFd implements AutoCloseable {
  private final Descriptor descriptor;
  private final Arena arena;
  private final MemorySegment memory;

  private MemFd(Descriptor descriptor, Arena arena, MemorySegment memory) {
    this.descriptor = descriptor;
    this.arena = arena;
    this.memory = memory;
  }

  /// {@return zeroed memory}
  ///
  /// @param bytes whole pages of 4 KiB
  /// @throws ErrnoException when the process has too many open files, or too much memory
  public static MemFd create(String name, long bytes) {
    return create(SystemCalls.ofProcess(), name, bytes);
  }

  /// As {@link #create(String, long)}, through given system calls.
  // The arena is closed here when something fails, and else by close().
  @SuppressWarnings("MustBeClosedChecker")
  public static MemFd create(SystemCalls calls, String name, long bytes) {
    if (bytes <= 0 || !Granule.K4.isAligned(bytes)) {
      throw new IllegalArgumentException(
          "memory of 0x%x bytes is not in whole pages of 4 KiB".formatted(bytes));
    }
    Kernel kernel = new Kernel(calls);
    Descriptor d =
        kernel.own(calls.memfd(name, KernelConstants.MFD_CLOEXEC), "memfd_create", "memfd " + name);
    Arena arena = Arena.ofShared();
    try {
      Kernel.check(calls.truncate(d.number(), bytes), "ftruncate", d.name());
      return new MemFd(
          d, arena, kernel.map(arena, bytes, KernelConstants.MAP_SHARED, d.number(), d.name()));
    } catch (RuntimeException | Error e) {
      arena.close();
      d.close();
      throw e;
    }
  }

  public Descriptor descriptor() {
    return descriptor;
  }

  /// {@return this process's view; it ends with {@link #close}}
  public MemorySegment memory() {
    return memory;
  }

  /// Ends this process's view and closes the descriptor. Whoever else has a descriptor keeps the memory.
  @Override
  public void close() {
    if (descriptor.isOpen()) {
      arena.close();
      descriptor.close();
    }
  }
}
