package dev.doorbell.linux;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/// The owner of an open file: closes it once, and never while a call is under way, so that no call meets a file that got the same number
/// later. Safe for use from many threads.
public final class Descriptor implements AutoCloseable {
  private static final int CLOSING = Integer.MIN_VALUE;

  private final Kernel kernel;
  private final int fd;
  private final String name;

  /// Calls under way; with the sign bit set, it is closed for new ones.
  private final AtomicInteger users = new AtomicInteger();

  Descriptor(Kernel kernel, int fd, String name) {
    this.kernel = kernel;
    this.fd = fd;
    this.name = name;
  }

  /// {@return what it is, for messages}
  public String name() {
    return name;
  }

  /// {@return its number, for a call of somebody else who does not outlive it}
  ///
  /// @throws IllegalStateException when it is closed
  public int number() {
    if (users.get() < 0) {
      throw closed();
    }
    return fd;
  }

  public boolean isOpen() {
    return users.get() >= 0;
  }

  public Kernel kernel() {
    return kernel;
  }

  /// Keeps it open for one call; {@link #release} must follow.
  public int acquire() {
    // Who comes too late leaves no trace: as the last user, it would close the number once more,
    // which
    // may be another file's by now.
    if (users.getAndUpdate(n -> n < 0 ? n : n + 1) < 0) {
      throw closed();
    }
    return fd;
  }

  public void release() {
    if (users.decrementAndGet() == CLOSING) {
      closeNow();
    }
  }

  /// Makes a request.
  ///
  /// {@return the kernel's answer, 0 or more}
  ///
  /// @throws ErrnoException when the kernel refuses
  public int ioctl(Ioctl request, MemorySegment argument) {
    return ioctl(request, argument, Because::general);
  }

  /// As {@link #ioctl(Ioctl, MemorySegment)}, by somebody who knows why it may fail.
  public int ioctl(Ioctl request, MemorySegment argument, Because.Teller why) {
    int answer = tryIoctl(request, argument);
    if (answer < 0) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(request.name(), name, e, why.of(e));
    }
    return answer;
  }

  /// {@return the kernel's answer, an errno negated}
  public int tryIoctl(Ioctl request, MemorySegment argument) {
    int number = acquire();
    try {
      int answer;
      do {
        answer = kernel.calls().ioctl(number, request.number(), argument);
      } while (Kernel.isInterrupted(answer));
      return answer;
    } finally {
      release();
    }
  }

  /// {@return the kernel's answer to a read, an errno negated}
  long tryRead(MemorySegment into) {
    int number = acquire();
    try {
      long answer;
      do {
        answer = kernel.calls().read(number, into);
      } while (Kernel.isInterrupted(answer));
      return answer;
    } finally {
      release();
    }
  }

  /// {@return the kernel's answer to a write, an errno negated}
  long tryWrite(MemorySegment from) {
    int number = acquire();
    try {
      long answer;
      do {
        answer = kernel.calls().write(number, from);
      } while (Kernel.isInterrupted(answer));
      return answer;
    } finally {
      release();
    }
  }

  /// {@return the kernel's answer to a read at an offset, an errno negated}
  long tryRead(MemorySegment into, long offset) {
    int number = acquire();
    try {
      long answer;
      do {
        answer = kernel.calls().read(number, into, offset);
      } while (Kernel.isInterrupted(answer));
      return answer;
    } finally {
      release();
    }
  }

  /// {@return the kernel's answer to a write at an offset, an errno negated}
  long tryWrite(MemorySegment from, long offset) {
    int number = acquire();
    try {
      long answer;
      do {
        answer = kernel.calls().write(number, from, offset);
      } while (Kernel.isInterrupted(answer));
      return answer;
    } finally {
      release();
    }
  }

  /// {@return a second owner of the same open file}
  ///
  /// @throws ErrnoException when the process has too many
  public Descriptor duplicate() {
    int number = acquire();
    try {
      return kernel.own(kernel.calls().duplicate(number), "fcntl F_DUPFD_CLOEXEC", name);
    } finally {
      release();
    }
  }

  /// Closes the file, now or when the last call that is under way has returned. A call that waits is not woken.
  @Override
  public void close() {
    int before = users.getAndUpdate(n -> n < 0 ? n : n + CLOSING);
    if (before == 0) {
      closeNow();
    }
  }

  /// @throws ErrnoException when the kernel reports an error; the descriptor is gone all the same (`close(2)`)
  private void closeNow() {
    int answer = kernel.calls().close(fd);
    if (answer < 0 && !Kernel.isInterrupted(answer)) {
      Kernel.check(answer, "close", name);
    }
  }

  private IllegalStateException closed() {
    return new IllegalStateException(name + " is closed");
  }

  @Override
  public String toString() {
    return name + " (fd " + fd + ")";
  }
}
