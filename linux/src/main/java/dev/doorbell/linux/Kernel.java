package dev.doorbell.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The kernel as the classes of this room use it: the one place where a refused call becomes an {@link ErrnoException}.
public final class Kernel {
  /// Answers from here to 0 are errnos (`MAX_ERRNO`).
  private static final int MOST_ERRNO = 4096;

  private final SystemCalls calls;

  public Kernel(SystemCalls calls) {
    this.calls = calls;
  }

  public SystemCalls calls() {
    return calls;
  }

  /// {@return an open file}
  ///
  /// @throws ErrnoException when the kernel refuses
  public Descriptor open(String path, int flags, Because.Teller why) {
    int fd;
    do {
      fd = calls.open(path, flags | KernelConstants.O_CLOEXEC);
    } while (isInterrupted(fd));
    if (fd < 0) {
      Errno e = Errno.in(fd);
      throw new ErrnoException("open", path, e, why.of(e));
    }
    return new Descriptor(this, fd, path);
  }

  /// {@return the owner of a descriptor that a call answered}
  ///
  /// @throws ErrnoException when the answer is an errno
  public Descriptor own(int answer, String operation, String name) {
    return new Descriptor(this, (int) check(answer, operation, name), name);
  }

  /// {@return an answer that is no errno}
  ///
  /// @throws ErrnoException when it is one
  public static long check(long answer, String operation, String target) {
    if (answer < 0) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(operation, target, e, Because.general(e));
    }
    return answer;
  }

  /// {@return whether a call ended because a signal came, and is to be made again}
  public static boolean isInterrupted(long answer) {
    return answer == -Errno.EINTR.number();
  }

  /// {@return memory that the kernel maps for this process until an arena closes}
  ///
  /// @param bytes whole pages
  /// @throws ErrnoException when the kernel refuses
  public MemorySegment map(Arena arena, long bytes, int flags, int fd, String target) {
    return map(arena, new FilePart(fd, 0, bytes), flags, target);
  }

  /// Part of a file.
  ///
  /// @param fd -1 for memory of the process
  record FilePart(int fd, long offset, long bytes) {}

  /// As {@link #map(Arena, long, int, int, String)}, from some offset on.
  MemorySegment map(Arena arena, FilePart part, int flags, String target) {
    return map(arena, part, flags, target, Because::general);
  }

  /// As {@link #map(Arena, FilePart, int, String)}, by somebody who knows why it may fail.
  // Restricted: the kernel has mapped exactly these bytes, and they stay mapped until the arena
  // closes.
  @SuppressWarnings("restricted")
  MemorySegment map(Arena arena, FilePart part, int flags, String target, Because.Teller why) {
    int both = KernelConstants.PROT_READ | KernelConstants.PROT_WRITE;
    long at = calls.mmap(part.bytes(), both, flags, part.fd(), part.offset());
    if (at < 0 && at > -MOST_ERRNO) {
      Errno e = Errno.in(at);
      throw new ErrnoException("mmap", target, e, why.of(e));
    }
    MemorySegment mapped = MemorySegment.ofAddress(at).reinterpret(part.bytes());
    try {
      return mapped.reinterpret(arena, gone -> check(calls.munmap(gone), "munmap", target));
    } catch (RuntimeException | Error e) {
      // The arena is closed, or another thread's: nobody else would ever unmap it.
      check(calls.munmap(mapped), "munmap", target);
      throw e;
    }
  }
}
