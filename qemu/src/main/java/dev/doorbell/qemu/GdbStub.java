package dev.doorbell.qemu;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// QEMU's debugger interface, as far as registers of CPUs are read and written by it. For one thread at a time.
///
/// **Source**: GDB manual, appendix E (remote serial protocol): packets `Hg`, `p`, `P`, `qXfer:features:read`.
final class GdbStub implements AutoCloseable {
  private static final String OK = "OK";
  private static final int BYTES = 0x1_0000;
  private static final int MOST = 0x10_0000;
  private static final int CHUNK = 0x800;
  private static final Pattern INCLUDED = Pattern.compile("<xi:include href=\"([^\"]+)\"");
  private static final int RADIX = 16;

  private final String program;
  private final Duration patience;
  private final SocketChannel channel;
  private final Selector selector;
  private final ByteBuffer in = ByteBuffer.allocate(BYTES);

  private GdbStub(String program, Duration patience, SocketChannel channel, Selector selector)
      throws IOException {
    this.program = program;
    this.patience = patience;
    this.channel = channel;
    this.selector = selector;
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_READ);
    in.flip();
  }

  /// {@return a connection to a QEMU that stands still; it goes on standing still}
  ///
  /// @throws QemuUnusable when it has no such interface, or does not answer as one
  static GdbStub connect(QemuProcess qemu, Duration patience) {
    Path at = qemu.folder().resolve("gdb");
    String said = qemu.qmp().monitor("gdbserver unix:%s,server=on,wait=off".formatted(at));
    try {
      return over(qemu.name(), at, patience);
    } catch (IOException e) {
      QemuUnusable failed =
          new QemuUnusable(
              qemu.name(), "its debugger interface cannot be reached (%s)".formatted(said.strip()));
      failed.addSuppressed(e);
      throw failed;
    }
  }

  /// {@return a connection to whoever listens there}
  ///
  /// @param program who it is, for messages
  /// @throws IOException when nobody listens there
  static GdbStub over(String program, Path socket, Duration patience) throws IOException {
    SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    boolean done = false;
    try {
      GdbStub stub = new GdbStub(program, patience, channel, Selector.open());
      done = true;
      return stub;
    } finally {
      if (!done) {
        channel.close();
      }
    }
  }

  /// {@return the number by which a register is read and written}
  ///
  /// @param name as QEMU's description of its registers has it, such as `siselect`
  int register(String name) {
    String target = feature("target.xml");
    StringBuilder all = new StringBuilder(target);
    for (Matcher m = INCLUDED.matcher(target); m.find(); ) {
      all.append(feature(m.group(1)));
    }
    Matcher found =
        Pattern.compile("<reg name=\"%s\"[^>]*regnum=\"(\\d{1,9})\"".formatted(Pattern.quote(name)))
            .matcher(all);
    if (!found.find()) {
      throw new QemuUnusable(program, "its CPUs have no register " + name);
    }
    return Integer.parseInt(found.group(1));
  }

  private String feature(String file) {
    StringBuilder out = new StringBuilder();
    String answer;
    do {
      answer = command("qXfer:features:read:%s:%x,%x".formatted(file, out.length(), CHUNK));
      if (answer.isEmpty() || "lm".indexOf(answer.charAt(0)) < 0 || out.length() > MOST) {
        throw new QemuUnusable(program, "it does not describe its registers: " + answer);
      }
      out.append(answer, 1, answer.length());
    } while (answer.charAt(0) == 'm');
    return out.toString();
  }

  /// Chooses the CPU that is read and written from now on.
  void select(int cpu) {
    require("Hg%x".formatted(cpu + 1), OK);
  }

  long read(int register) {
    String answer = command("p%x".formatted(register));
    if (answer.length() != 2 * Long.BYTES) {
      throw refused("reading register " + register, answer);
    }
    try {
      return Long.reverseBytes(Long.parseUnsignedLong(answer, RADIX));
    } catch (NumberFormatException e) {
      QemuUnusable failed = refused("reading register " + register, answer);
      failed.addSuppressed(e);
      throw failed;
    }
  }

  void write(int register, long value) {
    require("P%x=%016x".formatted(register, Long.reverseBytes(value)), OK);
  }

  private void require(String command, String answer) {
    String found = command(command);
    if (!found.equals(answer)) {
      throw refused(command, found);
    }
  }

  private QemuUnusable refused(String what, String answer) {
    return new QemuUnusable(
        program, "its debugger interface answers '%s' to %s".formatted(answer, what));
  }

  private String command(String text) {
    int sum = 0;
    for (byte b : text.getBytes(StandardCharsets.US_ASCII)) {
      sum += b;
    }
    try {
      send("$%s#%02x".formatted(text, sum & 0xff));
      String answer = receive();
      // It also tells, unasked, that the machine was stopped.
      while (answer.startsWith("T") || answer.startsWith("S")) {
        answer = receive();
      }
      return answer;
    } catch (IOException e) {
      QemuUnusable failed = refused(text, "nothing");
      failed.addSuppressed(e);
      throw failed;
    }
  }

  private void send(String text) throws IOException {
    ByteBuffer out = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    while (out.hasRemaining()) {
      var unused = channel.write(out);
    }
  }

  /// {@return what stands between `$` and `#`; acknowledgements before it are passed over}
  private String receive() throws IOException {
    for (int passed = 0; next() != '$'; passed++) {
      if (passed > BYTES) {
        throw new IOException("no packet begins");
      }
    }
    StringBuilder out = new StringBuilder();
    for (int c = next(); c != '#'; c = next()) {
      if (out.length() > BYTES) {
        throw new IOException("a packet that does not end");
      }
      // An escaped character.
      out.append((char) (c == '}' ? next() ^ 0x20 : c));
    }
    next();
    next();
    // QEMU knows no other mode than that of acknowledgements.
    send("+");
    return out.toString();
  }

  private int next() throws IOException {
    while (!in.hasRemaining()) {
      in.clear();
      int got = selector.select(patience.toMillis()) == 0 ? -1 : channel.read(in);
      selector.selectedKeys().clear();
      in.flip();
      if (got < 0) {
        throw new IOException("no answer within %s, or its end".formatted(patience));
      }
    }
    return in.get() & 0xff;
  }

  @Override
  public void close() {
    try (selector) {
      channel.close();
    } catch (IOException e) {
      throw new QemuUnusable(program, "its debugger interface cannot be closed: " + e.getMessage());
    }
  }
}
