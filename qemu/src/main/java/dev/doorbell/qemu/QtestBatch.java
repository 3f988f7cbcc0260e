package dev.doorbell.qemu;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Accesses that are sent without waiting for each one's answer: about ten times as many in a second. They happen in order, and nothing
/// else of this process comes in between on the same connection. For one thread; {@link #clear} makes it empty again and keeps its memory.
public final class QtestBatch {
  /// Lines under way at most: QEMU stops reading when its answers are not taken, and a socket holds some 250 of them.
  private static final int UNDER_WAY = 128;

  private static final int FIRST = 256;

  private final Qtest qtest;
  private ByteBuffer lines = ByteBuffer.allocateDirect(FIRST * QtestLine.LONGEST);
  private int[] ends = new int[FIRST];
  private boolean[] reads = new boolean[FIRST];
  private long[] values = new long[FIRST];
  private int count;
  private int answered;
  private final Link.Line current = () -> line(answered);
  private boolean ran;

  QtestBatch(Qtest qtest) {
    this.qtest = qtest;
  }

  /// Adds a read of 1, 2, 4 or 8 bytes.
  ///
  /// {@return its number, for {@link #value}}
  public int read(long address, int bytes) {
    room(QtestLine.LONGEST);
    QtestLine.read(lines, address, bytes);
    return added(true);
  }

  /// Adds a write of 1, 2, 4 or 8 bytes.
  ///
  /// {@return its number}
  public int write(long address, long value, int bytes) {
    room(QtestLine.LONGEST);
    QtestLine.write(lines, address, value, bytes);
    return added(false);
  }

  /// Adds a read of 1, 2 or 4 bytes from an I/O port.
  ///
  /// {@return its number, for {@link #value}}
  public int in(int port, int bytes) {
    room(QtestLine.LONGEST);
    QtestLine.in(lines, port, bytes);
    return added(true);
  }

  /// Adds a write of 1, 2 or 4 bytes to an I/O port.
  ///
  /// {@return its number}
  public int out(int port, long value, int bytes) {
    room(QtestLine.LONGEST);
    QtestLine.out(lines, port, value, bytes);
    return added(false);
  }

  /// Adds a write of bytes to memory, at least one.
  ///
  /// {@return its number}
  public int write(long address, byte[] bytes) {
    if (bytes.length == 0) {
      throw new IllegalArgumentException("QEMU takes no write of no bytes");
    }
    room(QtestLine.longest(bytes.length));
    QtestLine.write(lines, address, bytes);
    return added(false);
  }

  /// Adds a fill of a run of memory, at least one byte.
  ///
  /// {@return its number}
  public int fill(long address, int bytes, byte value) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("QEMU takes no fill of %d bytes".formatted(bytes));
    }
    room(QtestLine.LONGEST + QtestLine.BYTE);
    QtestLine.fill(lines, address, bytes, value);
    return added(false);
  }

  /// {@return how many accesses it has}
  public int size() {
    return count;
  }

  /// Sends all accesses and takes all answers.
  ///
  /// @throws QemuException when one fails; how many of those behind it happened is not known
  public void run() {
    if (ran) {
      throw new IllegalStateException("this batch has run; clear it first");
    }
    ran = true;
    qtest.lock.lock();
    Link link = qtest.link();
    int sent = 0;
    try {
      for (answered = 0; answered < count; answered++) {
        if (sent < count && sent - answered <= UNDER_WAY / 2) {
          int upTo = Math.min(count, answered + UNDER_WAY);
          link.begin();
          link.send(
              lines.duplicate().limit(ends[upTo - 1]).position(sent == 0 ? 0 : ends[sent - 1]),
              current);
          sent = upTo;
        }
        if (reads[answered]) {
          values[answered] = qtest.value(current);
        } else {
          qtest.ok(current);
        }
      }
    } catch (QemuRefused e) {
      skip(link, sent - answered - 1);
      throw e;
    } finally {
      link.end();
      qtest.lock.unlock();
    }
  }

  /// Takes the answers to what was sent behind a refused access.
  private void skip(Link link, int left) {
    for (int i = 0; i < left; ) {
      link.readLine(current);
      if (!link.startsWith("IRQ ")) {
        i++;
      }
    }
  }

  /// {@return what a read answered, zero-extended}
  public long value(int number) {
    if (!ran || number < 0 || number >= count || !reads[number]) {
      throw new IllegalArgumentException(number + " is no read of this batch that has run");
    }
    return values[number];
  }

  /// Forgets all accesses.
  public void clear() {
    count = 0;
    answered = 0;
    ran = false;
    lines.clear();
  }

  private void room(int bytes) {
    if (ran) {
      throw new IllegalStateException("this batch has run; clear it first");
    }
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
      reads = Arrays.copyOf(reads, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    if (lines.remaining() < bytes) {
      lines = ByteBuffer.allocateDirect(2 * lines.capacity() + bytes).put(lines.flip());
    }
  }

  private int added(boolean read) {
    ends[count] = lines.position();
    reads[count] = read;
    return count++;
  }

  private String line(int number) {
    int from = number == 0 ? 0 : ends[number - 1];
    byte[] bytes = new byte[ends[number] - from];
    lines.get(from, bytes);
    return new String(bytes, StandardCharsets.US_ASCII).strip();
  }
}
