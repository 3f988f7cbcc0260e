package dev.doorbell.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("unix(7): a socket that passes open files")
class UnixConnectionTest {
  private static final SystemCalls CALLS = SystemCalls.ofProcess();

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private static String text(UnixConnection.Received r) {
    return UTF_8.decode(r.bytes().duplicate()).toString();
  }

  @Test
  @DisplayName("memory and an eventfd that are sent work at the other end, and nothing stays open")
  void passesDescriptors(@TempDir Path folder) throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    long mapped = mappings();
    Path path = folder.resolve("s");
    try (UnixListener listener = UnixListener.listen(path);
        UnixConnection client = UnixConnection.connect(path);
        UnixConnection server = listener.accept(10_000).orElseThrow();
        MemFd memory = MemFd.create("shared", 0x2000);
        EventFd event = EventFd.create("doorbell")) {
      server.send(bytes("two"), List.of(memory.descriptor(), event.descriptor()));
      UnixConnection.Received r = client.receive(16, 4);
      assertEquals("two", text(r));
      assertEquals(2, r.descriptors().size());
      memory.memory().set(ValueLayout.JAVA_LONG, 8, 0x1234);
      try (var arena = java.lang.foreign.Arena.ofConfined()) {
        var seen = arena.allocate(8, 8);
        assertEquals(8, CALLS.read(r.descriptors().get(0).number(), seen, 8));
        assertEquals(0x1234, seen.get(ValueLayout.JAVA_LONG, 0));
        seen.set(ValueLayout.JAVA_LONG, 0, 5);
        assertEquals(8, r.descriptors().get(1).tryWrite(seen));
      }
      assertEquals(5, event.take());
      r.descriptors().forEach(Descriptor::close);
      assertFalse(listener.accept(0).isPresent());
    }
    assertEquals(before, OpenFiles.held());
    assertEquals(mapped, mappings());
    assertFalse(Files.exists(path));
  }

  @Test
  @DisplayName("bytes without descriptors, a long message, and the peer's end")
  void plainBytes() throws InterruptedException {
    List<UnixConnection> pair = UnixConnection.pair(CALLS);
    byte[] much = new byte[1 << 20];
    much[much.length - 1] = 9;
    Thread sender =
        Thread.ofPlatform()
            .start(() -> {
              pair.get(0).send(ByteBuffer.wrap(much), List.of());
              pair.get(0).close();
            });
    int got = 0;
    byte last = 0;
    while (true) {
      UnixConnection.Received r = pair.get(1).receive(1 << 16, 1);
      if (r.isEnd()) {
        break;
      }
      got += r.bytes().remaining();
      last = r.bytes().get(r.bytes().remaining() - 1);
    }
    sender.join();
    assertEquals(much.length, got);
    assertEquals(9, last);
    ErrnoException e =
        assertThrows(ErrnoException.class, () -> pair.get(1).send(bytes("x"), List.of()));
    assertEquals("EPIPE", e.errno().name());
    pair.get(1).close();
  }

  @Test
  @DisplayName("more descriptors than there is room for are refused, and none leaks")
  void tooManyDescriptors() throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    List<UnixConnection> pair = UnixConnection.pair(CALLS);
    List<EventFd> fds = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      fds.add(EventFd.create("e" + i));
    }
    pair.get(0).send(bytes("x"), fds.stream().map(EventFd::descriptor).toList());
    assertThrows(IllegalStateException.class, () -> pair.get(1).receive(1, 2));
    fds.forEach(EventFd::close);
    pair.forEach(UnixConnection::close);
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("a path that exists, and one that is too long, are refused with nothing left behind")
  void refusals(@TempDir Path folder) throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    Path path = Files.createFile(folder.resolve("taken"));
    ErrnoException e = assertThrows(ErrnoException.class, () -> UnixListener.listen(path));
    assertEquals(Errno.EADDRINUSE, e.errno());
    assertTrue(Files.exists(path), "somebody else's file stays");
    assertThrows(
        IllegalArgumentException.class, () -> UnixListener.listen(folder.resolve("x".repeat(120))));
    assertThrows(ErrnoException.class, () -> UnixConnection.connect(folder.resolve("nobody")));
    assertEquals(before, OpenFiles.held());
  }

  @Test
  @DisplayName("whichever call fails while memory is made, nothing stays open or mapped")
  void memoryIsGivenBack() throws IOException {
    Map<String, Integer> before = OpenFiles.held();
    FailingCalls failing = new FailingCalls(CALLS);
    for (int i = 0; i < 3; i++) {
      failing.fail(i, Errno.ENOMEM);
      ErrnoException e =
          assertThrows(ErrnoException.class, () -> MemFd.create(failing.calls(), "test", 0x1000));
      assertEquals(Errno.ENOMEM, e.errno());
      assertEquals(before, OpenFiles.held(), "after failure of " + failing.made());
    }
  }

  /// {@return mappings of files that this room makes}
  private static long mappings() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(l -> l.contains("/memfd:")).count();
    }
  }
}
