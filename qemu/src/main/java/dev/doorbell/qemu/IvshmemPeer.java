package dev.doorbell.qemu;

import java.nio.file.Path;

/// The server of an `ivshmem-doorbell` device and the peer that rings it. Its UNIX socket hands out file descriptors, which only the room that
/// calls the operating system can: whoever composes a machine brings one.
///
/// QEMU connects to the socket when it starts. The server sends, as 64-bit little-endian integers: the protocol version 0, the client's id, -1 with
/// the shared memory's descriptor, then the client's id once per vector with an eventfd each.
///
/// **Source**: QEMU 10.0, `docs/specs/ivshmem-spec.rst`, Client-Server protocol.
public interface IvshmemPeer extends AutoCloseable {
  /// {@return the socket that `-chardev socket,id=ID,path=` names}
  Path socket();

  /// {@return vectors that it has eventfds for}
  int vectors();

  /// Writes a vector's eventfd: QEMU sends its message when it next serves its descriptors.
  void ring(int vector);

  @Override
  void close();
}
