package dev.doorbell.qemu;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Any bytes as what QEMU's debugger interface answers, and as what QEMU prints of its version: each question has an answer or a failure that is told.
public final class GdbAnswersFuzz {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private GdbAnswersFuzz() {}

  /// What a fuzzer calls. All answers lie in the socket before the first question.
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    QemuVersion.in(new String(input, StandardCharsets.ISO_8859_1))
        .ifPresent(v -> v.isAtLeast(v.major(), v.minor()));
    Path folder = Files.createTempDirectory("doorbell-fuzz");
    Path socket = folder.resolve("gdb");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      try (GdbStub stub = GdbStub.over("fuzz", socket, PATIENCE);
          SocketChannel peer = server.accept()) {
        peer.write(ByteBuffer.wrap(input));
        peer.shutdownOutput();
        int register = stub.register("siselect");
        stub.select(1);
        stub.read(register);
        stub.write(register, 1);
      } catch (QemuException told) {
        return;
      }
    } finally {
      Files.deleteIfExists(socket);
      Files.delete(folder);
    }
  }
}
