package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A connection to another process that carries bytes and open files. One thread sends and one receives at a time.
///
/// **Source**: `unix(7)` SCM_RIGHTS, `cmsg(3)`
public final class UnixConnection implements AutoCloseable {
  /// Most descriptors in one message (`SCM_MAX_FD` of `include/net/scm.h`).
  public static final int MOST_DESCRIPTORS = 253;

  /// What came in one message.
  ///
  /// @param bytes read-only; empty when the peer has closed
  /// @param descriptors now owned by the receiver
  public record Received(ByteBuffer bytes, List<Descriptor> descriptors) {
    public Received {
      descriptors = List.copyOf(descriptors);
    }

    /// {@return whether the peer has closed}
    public boolean isEnd() {
      return bytes.remaining() == 0 && descriptors.isEmpty();
    }
  }

  private final Descriptor descriptor;

  UnixConnection(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /// {@return a connection to a listening socket}
  ///
  /// @throws ErrnoException when nobody listens
  public static UnixConnection connect(Path path) {
    return connect(SystemCalls.ofProcess(), path);
  }

  /// As {@link #connect(Path)}, through given system calls.
  public static UnixConnection connect(SystemCalls calls, Path path) {
    Descriptor d = UnixListener.stream(calls, path);
    try (Arena arena = Arena.ofConfined()) {
      Kernel.check(
          calls.connect(d.number(), UnixListener.address(arena, path)), "connect", d.name());
      return new UnixConnection(d);
    } catch (RuntimeException | Error e) {
      d.close();
      throw e;
    }
  }

  /// {@return both ends of a connection within this process}
  public static List<UnixConnection> pair(SystemCalls calls) {
    Kernel kernel = new Kernel(calls);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment two = arena.allocate(JAVA_INT, 2);
      int type = KernelConstants.SOCK_STREAM | KernelConstants.SOCK_CLOEXEC;
      Kernel.check(calls.socketpair(KernelConstants.AF_UNIX, type, two), "socketpair", "a pair");
      return List.of(
          new UnixConnection(
              new Descriptor(kernel, two.getAtIndex(JAVA_INT, 0), "end 0 of a pair")),
          new UnixConnection(
              new Descriptor(kernel, two.getAtIndex(JAVA_INT, 1), "end 1 of a pair")));
    }
  }

  public Descriptor descriptor() {
    return descriptor;
  }

  /// Sends bytes, and open files with the first of them. The files stay open here, too.
  ///
  /// @param bytes at least one
  /// @param descriptors at most {@link #MOST_DESCRIPTORS}
  /// @throws ErrnoException when the peer is gone
  public void send(ByteBuffer bytes, List<Descriptor> descriptors) {
    if (!bytes.hasRemaining() || descriptors.size() > MOST_DESCRIPTORS) {
      throw new IllegalArgumentException(
          "a message of %d bytes and %d descriptors cannot be sent"
              .formatted(bytes.remaining(), descriptors.size()));
    }
    int fd = descriptor.acquire();
    List<Descriptor> held = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(bytes.remaining());
      data.copyFrom(MemorySegment.ofBuffer(bytes));
      MemorySegment control = MemorySegment.NULL;
      if (!descriptors.isEmpty()) {
        control = ControlMessage.room(arena, descriptors.size());
        for (Descriptor d : descriptors) {
          ControlMessage.put(control, held.size(), d.acquire());
          held.add(d);
        }
      }
      long sent = 0;
      while (sent < data.byteSize()) {
        MemorySegment rest = data.asSlice(sent);
        MemorySegment message =
            ControlMessage.message(arena, rest, sent == 0 ? control : MemorySegment.NULL);
        long n = descriptor.kernel().calls().sendmsg(fd, message, KernelConstants.MSG_NOSIGNAL);
        if (!Kernel.isInterrupted(n)) {
          sent += Kernel.check(n, "sendmsg", descriptor.name());
        }
      }
    } finally {
      held.forEach(Descriptor::release);
      descriptor.release();
    }
  }

  /// Waits for bytes, and takes the open files that came with them.
  ///
  /// @param most bytes; fewer may come
  /// @param mostDescriptors what the receiver has room for; with more in the message, none is taken
  /// @throws ErrnoException when the connection is broken
  /// @throws IllegalStateException when more descriptors came than there is room for; all of them are closed
  public Received receive(int most, int mostDescriptors) {
    int fd = descriptor.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(most);
      MemorySegment control = ControlMessage.room(arena, mostDescriptors);
      MemorySegment message = ControlMessage.message(arena, data, control);
      SystemCalls calls = descriptor.kernel().calls();
      long n;
      do {
        n = calls.recvmsg(fd, message, KernelConstants.MSG_CMSG_CLOEXEC);
      } while (Kernel.isInterrupted(n));
      Kernel.check(n, "recvmsg", descriptor.name());
      List<Descriptor> got = new ArrayList<>();
      for (int number : ControlMessage.descriptors(message, control)) {
        got.add(
            new Descriptor(descriptor.kernel(), number, "descriptor from " + descriptor.name()));
      }
      if ((SystemLayout.MSG_FLAGS.getInt(message) & KernelConstants.MSG_CTRUNC) != 0) {
        got.forEach(Descriptor::close);
        throw new IllegalStateException(
            "%s sent more than %d descriptors".formatted(descriptor.name(), mostDescriptors));
      }
      byte[] copy = data.asSlice(0, n).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
      return new Received(ByteBuffer.wrap(copy).asReadOnlyBuffer(), got);
    } finally {
      descriptor.release();
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
