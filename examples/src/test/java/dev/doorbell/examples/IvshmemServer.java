package dev.doorbell.examples;

import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.MemFd;
import dev.doorbell.linux.UnixConnection;
import dev.doorbell.linux.UnixListener;
import dev.doorbell.qemu.IvshmemPeer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The rooms `qemu` and `linux` put together: a server for one `ivshmem-doorbell` device, whose eventfds are the kernel's.
///
/// **Source**: QEMU 10.0, `docs/specs/ivshmem-spec.rst`, Client-Server protocol.
final class IvshmemServer implements IvshmemPeer {
  private static final long PROTOCOL = 0;
  private static final long MEMORY_FOLLOWS = -1;
  private static final long CLIENT = 1;
  private static final long SHARED_BYTES = 1L << 16;
  private static final int PATIENCE_MILLIS = 60_000;

  private final UnixListener listener;
  private final MemFd memory;
  private final List<EventFd> vectors = new ArrayList<>();
  private final Thread greeter;
  private volatile @Nullable UnixConnection connection;

  private IvshmemServer(Path socket, int count) {
    listener = UnixListener.listen(socket);
    memory = MemFd.create("ivshmem", SHARED_BYTES);
    for (int i = 0; i < count; i++) {
      vectors.add(EventFd.create("ivshmem vector " + i));
    }
    greeter = Thread.ofPlatform().daemon().name("ivshmem-server").start(this::greet);
  }

  /// {@return a server that greets the one client that connects}
  static IvshmemServer open(Path socket, int vectors) {
    return new IvshmemServer(socket, vectors);
  }

  private void greet() {
    Optional<UnixConnection> accepted = listener.accept(PATIENCE_MILLIS);
    if (accepted.isEmpty()) {
      return;
    }
    UnixConnection c = accepted.get();
    connection = c;
    send(c, PROTOCOL, List.of());
    send(c, CLIENT, List.of());
    send(c, MEMORY_FOLLOWS, List.of(memory.descriptor()));
    vectors.forEach(v -> send(c, CLIENT, List.of(v.descriptor())));
  }

  private static void send(UnixConnection to, long value, List<Descriptor> with) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(0, value);
    to.send(bytes, with);
  }

  @Override
  public Path socket() {
    return listener.path();
  }

  @Override
  public int vectors() {
    return vectors.size();
  }

  @Override
  public void ring(int vector) {
    vectors.get(vector).signal();
  }

  @Override
  public void close() {
    listener.close();
    UnixConnection open = connection;
    if (open != null) {
      open.close();
    }
    vectors.forEach(EventFd::close);
    memory.close();
    greeter.interrupt();
  }
}
