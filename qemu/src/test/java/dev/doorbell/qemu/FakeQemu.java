package dev.doorbell.qemu;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// A program that connects as QEMU does, and then behaves in one of several wrong ways. Started by a script in a process of its own.
public final class FakeQemu {
  /// How many accesses the way `together` wants before it answers any.
  static final int TOGETHER = 100;

  private static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": %d, \"major\": %d}}, \"capabilities\": []}}\r\n";

  private FakeQemu() {}

  /// {@return an executable file that behaves in a way}
  public static QemuBinary script(Path folder, String way) throws IOException {
    return shell(
        folder,
        "exec '%s' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '%s' %s %s \"$@\""
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"),
                FakeQemu.class.getName(),
                way));
  }

  /// {@return an executable file with these shell commands}
  public static QemuBinary shell(Path folder, String commands) throws IOException {
    Path file = folder.resolve("qemu-system-aarch64");
    Files.writeString(file, "#!/bin/sh\n" + commands + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    return new QemuBinary(file);
  }

  /// @param args the way, then QEMU's arguments
  public static void main(String[] args) throws Exception {
    try (SocketChannel qtest = connect(args, "unix:");
        SocketChannel qmp = connect(args, "socket,id=qmp,path=")) {
      switch (args[0]) {
        case "silent" -> Thread.sleep(Long.MAX_VALUE);
        case "no-json" -> say(qmp, "<html>\n");
        case "deep" -> say(qmp, "{\"a\":" + "[".repeat(100_000) + "\n");
        case "no-version" -> say(qmp, "{\"QMP\": {\"version\": 7}}\n");
        case "old" -> say(qmp, GREETING.formatted(2, 6));
        case "endless" -> {
          while (true) {
            say(qmp, "x".repeat(1 << 16));
          }
        }
        default -> {
          say(qmp, GREETING.formatted(2, 7));
          line(qmp);
          say(qmp, "{\"event\": \"RESET\"}\r\n{\"return\": {}}\r\n");
          line(qtest);
          say(qtest, args[0].equals("big") ? "OK big\n" : "OK little\n");
          qtest(args[0], qtest);
        }
      }
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  private static void qtest(String way, SocketChannel qtest) throws IOException {
    line(qtest);
    switch (way) {
      case "word" -> say(qtest, "HELLO\n");
      case "no-number" -> say(qtest, "OK 0x12zz\n");
      case "long-number" -> say(qtest, "OK 0x" + "1".repeat(17) + "\n");
      case "empty" -> say(qtest, "\n");
      case "bad-irq" -> say(qtest, "IRQ raise x\nOK 0x1\n");
      case "endless-qtest" -> {
        while (true) {
          say(qtest, "x".repeat(1 << 16));
        }
      }
      case "half-line" -> say(qtest, "OK 0xbad");
      case "hang-up" -> qtest.close();
      case "big" -> say(qtest, "OK big\n");
      case "clock" -> {
        say(qtest, "OK 1000000007\n");
        line(qtest);
        say(qtest, "OK 2000000007\n");
        line(qtest);
        say(qtest, "OK soon\n");
      }
      case "refuses" -> {
        say(qtest, "FAIL not that one\nIRQ raise 3\nOK 0x1\nOK 0x2\n");
        for (int i = 0; i < 3; i++) {
          line(qtest);
        }
        say(qtest, "OK 0x7\n");
      }
      case "together" -> {
        for (int i = 1; i < TOGETHER; i++) {
          line(qtest);
        }
        for (int i = 0; i < TOGETHER; i++) {
          say(qtest, "OK 0x%x\n".formatted(i));
        }
      }
      case "late" -> {
        for (char c : "OK 0x7\n".toCharArray()) {
          pause();
          say(qtest, Character.toString(c));
        }
      }
      case "never-ready" -> {
        while (true) {
          pause();
          say(qtest, "x");
        }
      }
      default -> throw new IllegalArgumentException(way);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static SocketChannel connect(String[] args, String prefix) throws IOException {
    for (String arg : args) {
      if (arg.startsWith(prefix)) {
        return SocketChannel.open(UnixDomainSocketAddress.of(arg.substring(prefix.length())));
      }
    }
    throw new IllegalArgumentException("no argument begins with " + prefix);
  }

  private static void say(SocketChannel to, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      to.write(bytes);
    }
  }

  private static void line(SocketChannel from) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    do {
      one.clear();
      if (from.read(one) < 0) {
        throw new IOException("closed");
      }
    } while (one.get(0) != '\n');
  }
}
