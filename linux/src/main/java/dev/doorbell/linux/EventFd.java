package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.doorbell.vfio.Trigger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A counter of the kernel that interrupts and programs signal and wait for. As a trigger of a Linux device it is handed to the kernel, and
/// no thread of this process runs for an interrupt. Safe for use from many threads.
///
/// **Source**: `eventfd(2)`
public final class EventFd implements Trigger, AutoCloseable {
  private static final MemorySegment ONE = one();

  /// What a read answers; one a thread.
  private static final ThreadLocal<MemorySegment> COUNT =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(JAVA_LONG));

  private final Descriptor descriptor;

  private EventFd(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  private static MemorySegment one() {
    MemorySegment one = Arena.global().allocate(JAVA_LONG);
    one.set(JAVA_LONG, 0, 1);
    return one.asReadOnly();
  }

  /// {@return a counter at 0}
  ///
  /// @throws ErrnoException when the process has too many open files
  public static EventFd create(String name) {
    return create(SystemCalls.ofProcess(), name);
  }

  /// As {@link #create(String)}, through given system calls.
  public static EventFd create(SystemCalls calls, String name) {
    int flags = KernelConstants.EFD_NONBLOCK | KernelConstants.EFD_CLOEXEC;
    return new EventFd(
        new Kernel(calls).own(calls.eventfd(0, flags), "eventfd", "eventfd " + name));
  }

  public Descriptor descriptor() {
    return descriptor;
  }

  /// Adds 1. At the counter's limit of 2^64 - 2 nothing is added.
  ///
  /// @throws IllegalStateException when it is closed
  public void signal() {
    long answer = descriptor.tryWrite(ONE);
    if (answer != -Errno.EAGAIN.number()) {
      Kernel.check(answer, "write", descriptor.name());
    }
  }

  @Override
  public void signalled() {
    signal();
  }

  /// {@return signals since they were last taken, 0 when there are none; never waits}
  public long take() {
    MemorySegment count = COUNT.get();
    long answer = descriptor.tryRead(count);
    if (answer == -Errno.EAGAIN.number()) {
      return 0;
    }
    Kernel.check(answer, "read", descriptor.name());
    return count.get(JAVA_LONG, 0);
  }

  /// Waits for a signal and takes all. Holds the thread, and a virtual thread's carrier: for many counters use {@link EventLoop}.
  ///
  /// {@return signals taken; 0 when the time is over}
  ///
  /// @param timeoutMillis -1 for ever; begins anew when a signal of the system interrupts the thread
  public long await(int timeoutMillis) {
    long taken = take();
    if (taken > 0) {
      return taken;
    }
    int fd = descriptor.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment p = SystemLayout.POLLFD.allocate(arena);
      SystemLayout.POLLFD_FD.set(p, fd);
      SystemLayout.POLLFD_EVENTS.set(p, KernelConstants.POLLIN);
      int answer;
      do {
        answer = descriptor.kernel().calls().poll(p, timeoutMillis);
      } while (Kernel.isInterrupted(answer));
      Kernel.check(answer, "poll", descriptor.name());
    } finally {
      descriptor.release();
    }
    return take();
  }

  @Override
  public void close() {
    descriptor.close();
  }

  @Override
  public String toString() {
    return descriptor.toString();
  }
}
