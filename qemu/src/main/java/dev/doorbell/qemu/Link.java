package dev.doorbell.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A connection to QEMU over which lines go both ways. Whoever uses it holds a lock of their own; {@link #tick} comes from another thread.
///
/// Reading and writing block. An exchange that takes longer than the process's patience is broken off by the process's ticks closing the
/// channel, so that no exchange costs a system call for its deadline.
final class Link {
  private static final int FIRST_BYTES = 0x1_0000;
  private static final int SHOWN = 200;

  private final QemuProcess process;
  private final SocketChannel channel;
  private final int longestLine;
  private final AtomicInteger ticksLeft = new AtomicInteger();
  private volatile boolean expired;
  private ByteBuffer in = ByteBuffer.allocateDirect(FIRST_BYTES).limit(0);
  private int next;
  private int lineStart;
  private int lineEnd;

  /// @param longestLine bytes of a line above which the peer is not QEMU
  Link(QemuProcess process, SocketChannel channel, int longestLine) {
    this.process = process;
    this.channel = channel;
    this.longestLine = longestLine;
  }

  /// Starts the clock of an exchange.
  void begin() {
    ticksLeft.set(process.patienceTicks());
  }

  /// Stops it.
  void end() {
    ticksLeft.set(0);
  }

  /// One tick of the process's watch has passed.
  void tick() {
    if (ticksLeft.get() > 0 && ticksLeft.decrementAndGet() == 0) {
      expired = true;
      close();
    }
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The descriptor is gone either way, and QEMU is about to be.
      return;
    }
  }

  /// Sends all bytes of a buffer.
  ///
  /// @param last the last line in it, for errors
  void send(ByteBuffer lines, Line last) {
    try {
      while (lines.hasRemaining()) {
        channel.write(lines);
      }
    } catch (IOException e) {
      throw lost(last, "", e);
    }
  }

  /// Reads one line. Its bytes are {@link #at} from 0 to {@link #length} until the next call.
  ///
  /// @param about what it answers, for errors
  void readLine(Line about) {
    if (next == in.limit()) {
      in.limit(0);
      next = 0;
    }
    int scan = next;
    while (true) {
      for (; scan < in.limit(); scan++) {
        if (in.get(scan) == '\n') {
          lineStart = next;
          lineEnd = scan;
          next = scan + 1;
          return;
        }
      }
      if (scan - next >= longestLine) {
        throw garbled(about, show(next, scan), "a line of at most %d bytes".formatted(longestLine));
      }
      scan -= makeRoom();
      fill(about);
    }
  }

  /// {@return by how much the bytes moved}
  private int makeRoom() {
    if (in.limit() < in.capacity()) {
      return 0;
    }
    int moved = next;
    int count = in.limit() - moved;
    if (moved == 0) {
      in = ByteBuffer.allocateDirect(2 * in.capacity()).put(0, in, 0, count);
    } else {
      in.put(0, in.duplicate(), moved, count);
    }
    in.limit(count);
    next = 0;
    return moved;
  }

  private void fill(Line about) {
    int had = in.limit();
    in.limit(in.capacity()).position(had);
    int got;
    try {
      got = channel.read(in);
    } catch (IOException e) {
      throw lost(about, show(next, in.position()), e);
    } finally {
      in.limit(in.position()).position(0);
    }
    if (got < 0) {
      throw lost(about, "", null);
    }
  }

  /// {@return bytes of the line, without its end}
  int length() {
    return lineEnd - lineStart;
  }

  byte at(int index) {
    return in.get(lineStart + index);
  }

  /// {@return the line as text}
  String text() {
    byte[] bytes = new byte[length()];
    in.get(lineStart, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  boolean startsWith(String ascii) {
    if (length() < ascii.length()) {
      return false;
    }
    for (int i = 0; i < ascii.length(); i++) {
      if (at(i) != ascii.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /// {@return what to throw when the line read last is no answer}
  QemuGarbled garbled(Line about, String expected) {
    return garbled(about, show(lineStart, lineEnd), expected);
  }

  private QemuGarbled garbled(Line about, String answer, String expected) {
    process.garbled(about.text());
    return new QemuGarbled(process.name(), about.text(), answer, expected, null);
  }

  private String show(int from, int to) {
    StringBuilder out = new StringBuilder();
    for (int i = from; i < to && i < from + SHOWN; i++) {
      byte b = in.get(i);
      out.append(b >= ' ' && b < 0x7f ? (char) b : '?');
    }
    return to - from > SHOWN ? out.append("...").toString() : out.toString();
  }

  /// @param begun what came of a line that did not end
  private QemuException lost(Line about, String begun, @Nullable IOException cause) {
    return expired
        ? process.timedOut(about.text(), begun, cause)
        : process.died(about.text(), cause);
  }

  /// A line that was sent, spelt out only for an error.
  @FunctionalInterface
  interface Line {
    String text();
  }
}
