package dev.doorbell.linux;

import java.lang.foreign.MemorySegment;

/// The system calls that Doorbell makes, one method each: the seam between this room and the kernel. Every method answers as the kernel
/// does: a result of 0 or more, or the errno, negated. Nothing is checked and nothing is retried here. Safe for use from many threads.
///
/// Segments are native memory. Flags are the numbers of the kernel's headers, which {@link KernelConstants} names.
///
/// **Source**: Linux `man-pages` sections 2 and 3; `include/uapi`
public interface SystemCalls {
  /// {@return the calls of the C library of this process}
  static SystemCalls ofProcess() {
    return LibcCalls.INSTANCE;
  }

  /// `open(2)`.
  int open(String path, int flags);

  /// `close(2)`.
  int close(int fd);

  /// `ioctl(2)`.
  ///
  /// @param argument what the request takes: a structure, or a number as {@link MemorySegment#ofAddress}
  int ioctl(int fd, int request, MemorySegment argument);

  /// `read(2)`.
  long read(int fd, MemorySegment into);

  /// `write(2)`.
  long write(int fd, MemorySegment from);

  /// `pread(2)`.
  long read(int fd, MemorySegment into, long offset);

  /// `pwrite(2)`.
  long write(int fd, MemorySegment from, long offset);

  /// `mmap(2)` at an address that the kernel chooses.
  ///
  /// {@return the address}
  ///
  /// @param fd -1 for memory of the process
  long mmap(long bytes, int protection, int flags, int fd, long offset);

  /// `munmap(2)`.
  int munmap(MemorySegment mapped);

  /// `eventfd(2)`.
  int eventfd(int initial, int flags);

  /// `memfd_create(2)`.
  int memfd(String name, int flags);

  /// `ftruncate(2)`.
  int truncate(int fd, long bytes);

  /// `fcntl(2)` with `F_DUPFD_CLOEXEC`.
  ///
  /// {@return a second descriptor of the same file}
  int duplicate(int fd);

  /// `epoll_create1(2)`.
  int epollCreate(int flags);

  /// `epoll_ctl(2)`.
  int epollControl(int epoll, int operation, int fd, MemorySegment event);

  /// `epoll_wait(2)`.
  ///
  /// @param events room for the answer, whole events
  /// @param timeoutMillis -1 for ever
  int epollWait(int epoll, MemorySegment events, int timeoutMillis);

  /// `poll(2)`.
  ///
  /// @param fds whole `struct pollfd`
  int poll(MemorySegment fds, int timeoutMillis);

  /// `socket(2)`.
  int socket(int domain, int type);

  /// `socketpair(2)`.
  ///
  /// @param pair room for two ints
  int socketpair(int domain, int type, MemorySegment pair);

  /// `bind(2)`.
  int bind(int fd, MemorySegment address);

  /// `listen(2)`.
  int listen(int fd, int backlog);

  /// `accept4(2)`.
  int accept(int fd, int flags);

  /// `connect(2)`.
  int connect(int fd, MemorySegment address);

  /// `sendmsg(2)`.
  long sendmsg(int fd, MemorySegment message, int flags);

  /// `recvmsg(2)`.
  long recvmsg(int fd, MemorySegment message, int flags);

  /// `pthread_sigmask(3)` with `SIG_BLOCK`, for this thread.
  ///
  /// @param add signals to block, as a `sigset_t` of 128 bytes
  /// @param before where the mask of before goes, as large
  int blockSignals(MemorySegment add, MemorySegment before);

  /// `sigtimedwait(2)` without waiting.
  ///
  /// {@return the number of a signal that was pending and is no more}
  ///
  /// @param of signals, blocked, as a `sigset_t`
  int takeSignal(MemorySegment of);

  /// `gettid(2)`.
  int threadId();

  /// `tgkill(2)`, to a thread of this process.
  int signalThread(int thread, int signal);
}
