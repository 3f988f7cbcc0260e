package dev.doorbell.linux;

import static dev.doorbell.linux.LibcLinker.call;
import static dev.doorbell.linux.LibcLinker.variadic;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The calls of the C library that this process runs with, errno read in the same step as the result.
///
/// A blocking call holds its carrier: whoever waits long does so on a platform thread, or through {@link EventLoop}.
final class LibcCalls implements SystemCalls {
  static final LibcCalls INSTANCE = new LibcCalls();

  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO_OFFSET =
      STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  /// Where the linker leaves errno; one a thread, freed with it.
  private static final ThreadLocal<MemorySegment> ERRNO =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private static final int MODE_OF_NEW_FILES = 0600;
  private static final long MAP_FAILED = -1;

  // `open`, `ioctl` and `fcntl` take what follows their first two arguments by the rules for
  // variable arguments.
  // spotless:off
  private static final MethodHandle OPEN         = variadic("open", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle IOCTL        = variadic("ioctl", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
  private static final MethodHandle FCNTL        = variadic("fcntl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle CLOSE        = call("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle READ         = call("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WRITE        = call("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle PREAD        = call("pread", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle PWRITE       = call("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MMAP         = call("mmap", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MUNMAP       = call("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle EVENTFD      = call("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle MEMFD_CREATE = call("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle FTRUNCATE    = call("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle EPOLL_CREATE = call("epoll_create1", JAVA_INT, JAVA_INT);
  private static final MethodHandle EPOLL_CTL    = call("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle EPOLL_WAIT   = call("epoll_wait", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle POLL         = call("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SOCKET       = call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SOCKETPAIR   = call("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle BIND         = call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle LISTEN       = call("listen", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle ACCEPT       = call("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle CONNECT      = call("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SENDMSG      = call("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECVMSG      = call("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SIGMASK      = call("pthread_sigmask", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle SIGTIMEDWAIT = call("sigtimedwait", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle GETPID       = call("getpid", JAVA_INT);
  private static final MethodHandle GETTID       = call("gettid", JAVA_INT);
  private static final MethodHandle TGKILL       = call("tgkill", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  // spotless:on

  private static final int SIG_BLOCK = 0;

  /// A `struct timespec` of 0.
  private static final MemorySegment NO_TIME = Arena.global().allocate(16, 8).asReadOnly();

  private LibcCalls() {}

  private static MemorySegment state() {
    return ERRNO.get();
  }

  private static int answer(int result, MemorySegment state) {
    return result < 0 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  private static long answer(long result, MemorySegment state) {
    return result < 0 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  /// A method handle declares every throwable. A downcall throws for wrong use of memory (a closed arena), and that passes through.
  private static RuntimeException broken(String call, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return cause instanceof RuntimeException r
        ? r
        : new IllegalStateException("the call of " + call + " is declared wrong", cause);
  }

  @Override
  public int open(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = state();
      MemorySegment p = arena.allocateFrom(path);
      return answer((int) OPEN.invokeExact(s, p, flags, MODE_OF_NEW_FILES), s);
    } catch (Throwable t) {
      throw broken("open", t);
    }
  }

  @Override
  public int close(int fd) {
    try {
      MemorySegment s = state();
      return answer((int) CLOSE.invokeExact(s, fd), s);
    } catch (Throwable t) {
      throw broken("close", t);
    }
  }

  @Override
  public int ioctl(int fd, int request, MemorySegment argument) {
    try {
      MemorySegment s = state();
      return answer((int) IOCTL.invokeExact(s, fd, Integer.toUnsignedLong(request), argument), s);
    } catch (Throwable t) {
      throw broken("ioctl", t);
    }
  }

  @Override
  public long read(int fd, MemorySegment into) {
    try {
      MemorySegment s = state();
      return answer((long) READ.invokeExact(s, fd, into, into.byteSize()), s);
    } catch (Throwable t) {
      throw broken("read", t);
    }
  }

  @Override
  public long write(int fd, MemorySegment from) {
    try {
      MemorySegment s = state();
      return answer((long) WRITE.invokeExact(s, fd, from, from.byteSize()), s);
    } catch (Throwable t) {
      throw broken("write", t);
    }
  }

  @Override
  public long read(int fd, MemorySegment into, long offset) {
    try {
      MemorySegment s = state();
      return answer((long) PREAD.invokeExact(s, fd, into, into.byteSize(), offset), s);
    } catch (Throwable t) {
      throw broken("pread", t);
    }
  }

  @Override
  public long write(int fd, MemorySegment from, long offset) {
    try {
      MemorySegment s = state();
      return answer((long) PWRITE.invokeExact(s, fd, from, from.byteSize(), offset), s);
    } catch (Throwable t) {
      throw broken("pwrite", t);
    }
  }

  @Override
  public long mmap(long bytes, int protection, int flags, int fd, long offset) {
    try {
      MemorySegment s = state();
      long at =
          (long) MMAP.invokeExact(s, MemorySegment.NULL, bytes, protection, flags, fd, offset);
      return at == MAP_FAILED ? -s.get(JAVA_INT, ERRNO_OFFSET) : at;
    } catch (Throwable t) {
      throw broken("mmap", t);
    }
  }

  @Override
  public int munmap(MemorySegment mapped) {
    try {
      MemorySegment s = state();
      return answer((int) MUNMAP.invokeExact(s, mapped, mapped.byteSize()), s);
    } catch (Throwable t) {
      throw broken("munmap", t);
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    try {
      MemorySegment s = state();
      return answer((int) EVENTFD.invokeExact(s, initial, flags), s);
    } catch (Throwable t) {
      throw broken("eventfd", t);
    }
  }

  @Override
  public int memfd(String name, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = state();
      MemorySegment n = arena.allocateFrom(name);
      return answer((int) MEMFD_CREATE.invokeExact(s, n, flags), s);
    } catch (Throwable t) {
      throw broken("memfd_create", t);
    }
  }

  @Override
  public int truncate(int fd, long bytes) {
    try {
      MemorySegment s = state();
      return answer((int) FTRUNCATE.invokeExact(s, fd, bytes), s);
    } catch (Throwable t) {
      throw broken("ftruncate", t);
    }
  }

  @Override
  public int duplicate(int fd) {
    try {
      MemorySegment s = state();
      return answer((int) FCNTL.invokeExact(s, fd, KernelConstants.F_DUPFD_CLOEXEC, 0), s);
    } catch (Throwable t) {
      throw broken("fcntl", t);
    }
  }

  @Override
  public int epollCreate(int flags) {
    try {
      MemorySegment s = state();
      return answer((int) EPOLL_CREATE.invokeExact(s, flags), s);
    } catch (Throwable t) {
      throw broken("epoll_create1", t);
    }
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    try {
      MemorySegment s = state();
      return answer((int) EPOLL_CTL.invokeExact(s, epoll, operation, fd, event), s);
    } catch (Throwable t) {
      throw broken("epoll_ctl", t);
    }
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int timeoutMillis) {
    try {
      MemorySegment s = state();
      int room = (int) (events.byteSize() / SystemLayout.EPOLL_EVENT.bytes());
      return answer((int) EPOLL_WAIT.invokeExact(s, epoll, events, room, timeoutMillis), s);
    } catch (Throwable t) {
      throw broken("epoll_wait", t);
    }
  }

  @Override
  public int poll(MemorySegment fds, int timeoutMillis) {
    try {
      MemorySegment s = state();
      long count = fds.byteSize() / SystemLayout.POLLFD.bytes();
      return answer((int) POLL.invokeExact(s, fds, count, timeoutMillis), s);
    } catch (Throwable t) {
      throw broken("poll", t);
    }
  }

  @Override
  public int socket(int domain, int type) {
    try {
      MemorySegment s = state();
      return answer((int) SOCKET.invokeExact(s, domain, type, 0), s);
    } catch (Throwable t) {
      throw broken("socket", t);
    }
  }

  @Override
  public int socketpair(int domain, int type, MemorySegment pair) {
    try {
      MemorySegment s = state();
      return answer((int) SOCKETPAIR.invokeExact(s, domain, type, 0, pair), s);
    } catch (Throwable t) {
      throw broken("socketpair", t);
    }
  }

  @Override
  public int bind(int fd, MemorySegment address) {
    try {
      MemorySegment s = state();
      return answer((int) BIND.invokeExact(s, fd, address, (int) address.byteSize()), s);
    } catch (Throwable t) {
      throw broken("bind", t);
    }
  }

  @Override
  public int listen(int fd, int backlog) {
    try {
      MemorySegment s = state();
      return answer((int) LISTEN.invokeExact(s, fd, backlog), s);
    } catch (Throwable t) {
      throw broken("listen", t);
    }
  }

  @Override
  public int accept(int fd, int flags) {
    try {
      MemorySegment s = state();
      return answer(
          (int) ACCEPT.invokeExact(s, fd, MemorySegment.NULL, MemorySegment.NULL, flags), s);
    } catch (Throwable t) {
      throw broken("accept4", t);
    }
  }

  @Override
  public int connect(int fd, MemorySegment address) {
    try {
      MemorySegment s = state();
      return answer((int) CONNECT.invokeExact(s, fd, address, (int) address.byteSize()), s);
    } catch (Throwable t) {
      throw broken("connect", t);
    }
  }

  @Override
  public long sendmsg(int fd, MemorySegment message, int flags) {
    try {
      MemorySegment s = state();
      return answer((long) SENDMSG.invokeExact(s, fd, message, flags), s);
    } catch (Throwable t) {
      throw broken("sendmsg", t);
    }
  }

  @Override
  public long recvmsg(int fd, MemorySegment message, int flags) {
    try {
      MemorySegment s = state();
      return answer((long) RECVMSG.invokeExact(s, fd, message, flags), s);
    } catch (Throwable t) {
      throw broken("recvmsg", t);
    }
  }

  /// Unlike the others it answers an errno as it is.
  @Override
  public int blockSignals(MemorySegment add, MemorySegment before) {
    try {
      return -(int) SIGMASK.invokeExact(state(), SIG_BLOCK, add, before);
    } catch (Throwable t) {
      throw broken("pthread_sigmask", t);
    }
  }

  @Override
  public int takeSignal(MemorySegment of) {
    try {
      MemorySegment s = state();
      return answer((int) SIGTIMEDWAIT.invokeExact(s, of, MemorySegment.NULL, NO_TIME), s);
    } catch (Throwable t) {
      throw broken("sigtimedwait", t);
    }
  }

  @Override
  public int threadId() {
    try {
      return (int) GETTID.invokeExact(state());
    } catch (Throwable t) {
      throw broken("gettid", t);
    }
  }

  @Override
  public int signalThread(int thread, int signal) {
    try {
      MemorySegment s = state();
      int process = (int) GETPID.invokeExact(s);
      return answer((int) TGKILL.invokeExact(s, process, thread, signal), s);
    } catch (Throwable t) {
      throw broken("tgkill", t);
    }
  }
}
