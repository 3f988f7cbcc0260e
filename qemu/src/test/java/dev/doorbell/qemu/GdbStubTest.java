package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("QEMU's debugger interface, by a server that answers as told")
class GdbStubTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String TARGET = "<target><xi:include href=\"csr.xml\"/></target>";
  private static final String CSRS = "<reg name=\"siselect\" bitsize=\"64\" regnum=\"406\"/>";

  @TempDir private Path folder;
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final Map<String, String> answers =
      new java.util.concurrent.ConcurrentHashMap<>(
          Map.of(
              "Hg2",
              "OK",
              "p196",
              "8877665544332211",
              "P196=0100000000000000",
              "OK",
              "qXfer:features:read:target.xml:0,800",
              "l" + TARGET,
              "qXfer:features:read:csr.xml:0,800",
              "m" + CSRS.substring(0, 20),
              "qXfer:features:read:csr.xml:14,800",
              "l" + CSRS.substring(20)));

  private ServerSocketChannel server;

  /// What goes out before each answer.
  private String before = "+";

  @BeforeEach
  void listen() throws IOException {
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket()));
    Thread.ofPlatform().daemon().start(this::serve);
  }

  @AfterEach
  void end() throws IOException {
    server.close();
  }

  private Path socket() {
    return folder.resolve("gdb");
  }

  private GdbStub open() throws IOException {
    return GdbStub.over("qemu", socket(), PATIENCE);
  }

  private void serve() {
    try (SocketChannel client = server.accept()) {
      StringBuilder heard = new StringBuilder();
      ByteBuffer in = ByteBuffer.allocate(1024);
      while (client.read(in) >= 0) {
        heard.append(StandardCharsets.US_ASCII.decode(in.flip()));
        in.clear();
        int end = heard.indexOf("#");
        while (end >= 0 && heard.length() >= end + 3) {
          String command = heard.substring(heard.indexOf("$") + 1, end);
          heard.delete(0, end + 3);
          end = heard.indexOf("#");
          asked.add(command);
          String answer = answers.getOrDefault(command, "");
          String all = answer.equals("(end)") ? "" : before + "$" + answer + "#00";
          client.write(ByteBuffer.wrap(all.getBytes(StandardCharsets.US_ASCII)));
          if (all.isEmpty()) {
            return;
          }
        }
      }
    } catch (IOException e) {
      // Whoever asked has gone, or the test has ended.
      asked.add(e.toString());
    }
  }

  @Test
  @DisplayName("registers are found by name, and read and written in the target's byte order")
  void registers() throws IOException {
    try (GdbStub stub = open()) {
      int register = stub.register("siselect");
      assertEquals(406, register);
      stub.select(1);
      assertEquals(0x1122_3344_5566_7788L, stub.read(register));
      stub.write(register, 1);
    }
    assertTrue(asked.contains("P196=0100000000000000"), asked::toString);
  }

  @Test
  @DisplayName("what it tells unasked, as that the machine was stopped, is passed over")
  void unasked() throws IOException {
    before = "+$T05thread:01;#00";
    try (GdbStub stub = open()) {
      assertEquals(0x1122_3344_5566_7788L, stub.read(406));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "E14", "zzzzzzzzzzzzzzzz", "(end)"})
  @DisplayName("errors, garbage and a connection that ends are told, with the command")
  void garbage(String answer) throws IOException {
    answers.put("p196", answer);
    try (GdbStub stub = open()) {
      String why = assertThrows(QemuUnusable.class, () -> stub.read(406)).getMessage();
      assertTrue(why.contains("p196") || why.contains("register 406"), why);
    }
  }

  @Test
  @DisplayName("an answer that does not end is one that does not come")
  void endless() throws IOException {
    answers.put("p196", "1".repeat(0x2_0000));
    try (GdbStub stub = open()) {
      assertThrows(QemuUnusable.class, () -> stub.read(406));
    }
    answers.put("qXfer:features:read:target.xml:0,800", "x");
    try (GdbStub stub = openAgain()) {
      assertThrows(QemuUnusable.class, () -> stub.register("siselect"));
    }
  }

  private GdbStub openAgain() throws IOException {
    Thread.ofPlatform().daemon().start(this::serve);
    return open();
  }
}
