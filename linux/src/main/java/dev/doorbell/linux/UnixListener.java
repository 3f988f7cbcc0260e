package dev.doorbell.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A socket in the file system that other processes connect to. Safe for use from many threads.
///
/// **Source**: `unix(7)`
public final class UnixListener implements AutoCloseable {
  private static final int BACKLOG = 16;
  private static final int STREAM = KernelConstants.SOCK_STREAM | KernelConstants.SOCK_CLOEXEC;

  private final Descriptor descriptor;
  private final Path path;

  private UnixListener(Descriptor descriptor, Path path) {
    this.descriptor = descriptor;
    this.path = path;
  }

  /// {@return a listening socket}
  ///
  /// @param path of the socket, which must not exist; at most 107 bytes
  /// @throws ErrnoException when the kernel refuses; with {@link Errno#EADDRINUSE} the path exists
  public static UnixListener listen(Path path) {
    return listen(SystemCalls.ofProcess(), path);
  }

  /// As {@link #listen(Path)}, through given system calls.
  public static UnixListener listen(SystemCalls calls, Path path) {
    Descriptor d = stream(calls, path);
    try (Arena arena = Arena.ofConfined()) {
      Kernel.check(calls.bind(d.number(), address(arena, path)), "bind", d.name());
      try {
        Kernel.check(calls.listen(d.number(), BACKLOG), "listen", d.name());
      } catch (ErrnoException e) {
        remove(path);
        throw e;
      }
      return new UnixListener(d, path);
    } catch (RuntimeException | Error e) {
      d.close();
      throw e;
    }
  }

  static Descriptor stream(SystemCalls calls, Path path) {
    return new Kernel(calls)
        .own(calls.socket(KernelConstants.AF_UNIX, STREAM), "socket", "socket " + path);
  }

  static MemorySegment address(Arena arena, Path path) {
    byte[] name = path.toString().getBytes(UTF_8);
    if (name.length >= SystemLayout.SUN_PATH.bytes()) {
      throw new IllegalArgumentException(
          "a socket's path has at most %d bytes, and %s has %d"
              .formatted(SystemLayout.SUN_PATH.bytes() - 1, path, name.length));
    }
    MemorySegment a = SystemLayout.SOCKADDR_UN.allocate(arena);
    SystemLayout.SUN_FAMILY.set(a, KernelConstants.AF_UNIX);
    MemorySegment.copy(
        MemorySegment.ofArray(name), 0, a, SystemLayout.SUN_PATH.offset(), name.length);
    return a;
  }

  public Path path() {
    return path;
  }

  /// Waits for the next connection.
  ///
  /// {@return it; empty when the time is over}
  ///
  /// @param timeoutMillis -1 for ever
  /// @throws ErrnoException when the kernel refuses
  public Optional<UnixConnection> accept(int timeoutMillis) {
    SystemCalls calls = descriptor.kernel().calls();
    int fd = descriptor.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment p = SystemLayout.POLLFD.allocate(arena);
      SystemLayout.POLLFD_FD.set(p, fd);
      SystemLayout.POLLFD_EVENTS.set(p, KernelConstants.POLLIN);
      int ready = calls.poll(p, timeoutMillis);
      if (ready == 0 || Kernel.isInterrupted(ready)) {
        return Optional.empty();
      }
      Kernel.check(ready, "poll", descriptor.name());
      int peer = calls.accept(fd, KernelConstants.SOCK_CLOEXEC);
      return Optional.of(
          new UnixConnection(descriptor.kernel().own(peer, "accept4", "peer at " + path)));
    } finally {
      descriptor.release();
    }
  }

  /// Stops listening and removes the path.
  @Override
  public void close() {
    if (descriptor.isOpen()) {
      descriptor.close();
      remove(path);
    }
  }

  private static void remove(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove the socket " + path, e);
    }
  }
}
