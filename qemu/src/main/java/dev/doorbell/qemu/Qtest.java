package dev.doorbell.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;

/// QEMU's qtest protocol: one command and one answer a line, and a line for each interrupt input of a watched device that changes.
///
/// Reads and writes go to the first CPU's address space. Values are in the machine's byte order. A read of nothing answers 0, a write to
/// nothing is taken: this protocol has no bus errors. **Threads**: safe; one command, or one {@link QtestBatch}, at a time.
///
/// **Source**: QEMU, `system/qtest.c` (protocol comment).
public final class Qtest {
  private static final int BLOCK = 1 << 15;
  private static final int COMMAND_BYTES = 64;
  private static final String UNNAMED = "unnamed-gpio-in";

  final ReentrantLock lock = new ReentrantLock();
  private final QemuProcess process;
  private final Link link;
  private final ByteBuffer out = ByteBuffer.allocateDirect(COMMAND_BYTES);
  private final Link.Line lastOut = this::lastOut;
  private volatile Lines lines = (input, raised) -> {};

  /// Hears of interrupt inputs, in the thread whose command's answer they came before.
  @FunctionalInterface
  public interface Lines {
    /// @param input number of the unnamed GPIO input
    void changed(int input, boolean raised);
  }

  private Qtest(QemuProcess process, Link link) {
    this.process = process;
    this.link = link;
  }

  /// {@return a connection that answers}
  static Qtest greet(QemuProcess process, Link link) {
    Qtest qtest = new Qtest(process, link);
    var unused = qtest.byteOrder();
    return qtest;
  }

  /// {@return the byte order of the machine's CPUs, in which values of {@link #read(long, int)} and {@link #write(long, long, int)} go}
  public ByteOrder byteOrder() {
    String sent = "endianness";
    return switch (command(sent)) {
      case "little" -> ByteOrder.LITTLE_ENDIAN;
      case "big" -> ByteOrder.BIG_ENDIAN;
      default -> throw unexpected(sent, "OK and little or big");
    };
  }

  /// {@return a value of 1, 2, 4 or 8 bytes, zero-extended, read in one access}
  public long read(long address, int bytes) {
    lock.lock();
    try {
      QtestLine.read(out.clear(), address, bytes);
      link.begin();
      link.send(out.flip(), lastOut);
      return value(lastOut);
    } finally {
      link.end();
      lock.unlock();
    }
  }

  /// Writes the low 1, 2, 4 or 8 bytes of a value in one access. When this returns the machine has taken it, and what it does at once is done.
  public void write(long address, long value, int bytes) {
    lock.lock();
    try {
      QtestLine.write(out.clear(), address, value, bytes);
      link.begin();
      link.send(out.flip(), lastOut);
      ok(lastOut);
    } finally {
      link.end();
      lock.unlock();
    }
  }

  /// {@return a value of 1, 2 or 4 bytes, zero-extended, read from an I/O port as an x86 CPU would; all machines take the command, those
  /// without ports have nothing there}
  ///
  /// @param port 0 to 0xffff, the last byte included
  public long in(int port, int bytes) {
    lock.lock();
    try {
      QtestLine.in(out.clear(), port, bytes);
      link.begin();
      link.send(out.flip(), lastOut);
      return value(lastOut);
    } finally {
      link.end();
      lock.unlock();
    }
  }

  /// Writes the low 1, 2 or 4 bytes of a value to an I/O port.
  ///
  /// @param port 0 to 0xffff, the last byte included
  public void out(int port, long value, int bytes) {
    lock.lock();
    try {
      QtestLine.out(out.clear(), port, value, bytes);
      link.begin();
      link.send(out.flip(), lastOut);
      ok(lastOut);
    } finally {
      link.end();
      lock.unlock();
    }
  }

  /// Reads a run of bytes. For memory; a device's registers want {@link #read(long, int)}.
  public void read(long address, byte[] into) {
    for (int at = 0; at < into.length; at += BLOCK) {
      int count = Math.min(BLOCK, into.length - at);
      String sent = "b64read 0x%x %d".formatted(address + at, count);
      String text = command(sent);
      byte[] block;
      try {
        block = Base64.getDecoder().decode(text);
      } catch (IllegalArgumentException e) {
        throw unexpected(sent, "OK and bytes in base 64");
      }
      if (block.length != count) {
        throw unexpected(sent, "OK and %d bytes in base 64".formatted(count));
      }
      System.arraycopy(block, 0, into, at, count);
    }
  }

  /// Writes a run of bytes. For memory.
  public void write(long address, byte[] from) {
    for (int at = 0; at < from.length; at += BLOCK) {
      int count = Math.min(BLOCK, from.length - at);
      byte[] block = java.util.Arrays.copyOfRange(from, at, at + count);
      command(
          "b64write 0x%x %d %s"
              .formatted(address + at, count, Base64.getEncoder().encodeToString(block)));
    }
  }

  /// Sets a run of bytes. For memory.
  public void fill(long address, long bytes, byte value) {
    if (bytes > 0) {
      command("memset 0x%x 0x%x 0x%x".formatted(address, bytes, value & 0xff));
    }
  }

  /// Watches the interrupt inputs of one device; a QEMU can watch one. They go on working.
  ///
  /// @param device its path, such as `/machine/unattached/device[0]`, which is the first CPU of an Arm machine
  /// @throws QemuRefused when it is not there, or one is watched already
  public void interceptInputs(String device, Lines heard) {
    lines = heard;
    command("irq_intercept_in " + device);
  }

  /// Watches the unnamed interrupt outputs of one device; a QEMU can watch one. What they led to hears no more of them.
  ///
  /// @throws QemuRefused when it is not there, or one is watched already
  public void interceptOutputs(String device, Lines heard) {
    lines = heard;
    command("irq_intercept_out " + device);
  }

  /// Sets the level of one of a device's inputs, as what is wired to it would.
  ///
  /// @param name of the inputs, or empty for the unnamed ones
  /// @throws QemuRefused when there is no such device
  public void setInput(String device, String name, int number, boolean high) {
    command(
        "set_irq_in %s %s %d %d"
            .formatted(device, name.isEmpty() ? UNNAMED : name, number, high ? 1 : 0));
  }

  /// Lets virtual time pass, where QEMU's accelerator is `qtest`; what timers do until then is done, unless the machine is stopped.
  ///
  /// {@return the time then, in nanoseconds}
  ///
  /// @throws QemuRefused where it is another
  public long clockStep(long nanoseconds) {
    return clock("clock_step ", nanoseconds);
  }

  /// Sets virtual time, forward, where QEMU's accelerator is `qtest`.
  ///
  /// {@return the time then, in nanoseconds}
  ///
  /// @throws QemuRefused where it is another
  public long clockSet(long nanoseconds) {
    return clock("clock_set ", nanoseconds);
  }

  private long clock(String command, long nanoseconds) {
    if (nanoseconds < 0) {
      throw new IllegalArgumentException("time goes forward, not by %d ns".formatted(nanoseconds));
    }
    String sent = command + nanoseconds;
    String answer = command(sent);
    try {
      return Long.parseUnsignedLong(answer);
    } catch (NumberFormatException e) {
      throw unexpected(sent, "OK and nanoseconds");
    }
  }

  /// {@return a run of accesses to be sent together; for one thread}
  public QtestBatch batch() {
    return new QtestBatch(this);
  }

  /// Sends a command as it is. A malformed one ends QEMU.
  ///
  /// {@return what follows OK in the answer}
  ///
  /// @throws QemuRefused when QEMU answers FAIL
  public String command(String line) {
    if (line.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("a command is one line: " + line);
    }
    lock.lock();
    try {
      link.begin();
      link.send(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)), () -> line);
      answer(() -> line);
      return link.text().substring(2).strip();
    } finally {
      link.end();
      lock.unlock();
    }
  }

  private QemuGarbled unexpected(String sent, String expected) {
    return link.garbled(() -> sent, expected);
  }

  /// With the lock held.
  Link link() {
    return link;
  }

  /// Takes one answer to a write; with the lock held.
  void ok(Link.Line about) {
    answer(about);
    if (link.length() != 2) {
      throw link.garbled(about, "OK");
    }
  }

  /// Takes one answer to a read; with the lock held.
  long value(Link.Line about) {
    answer(about);
    int length = link.length();
    long value = 0;
    boolean good = length > 5 && length <= 21 && link.startsWith("OK 0x");
    for (int i = 5; good && i < length; i++) {
      int digit = Character.digit(link.at(i), 16);
      good = digit >= 0;
      value = value * 16 + digit;
    }
    if (!good) {
      throw link.garbled(about, "OK and a number");
    }
    return value;
  }

  private void answer(Link.Line about) {
    link.readLine(about);
    while (link.startsWith("IRQ ")) {
      heard(about);
      link.readLine(about);
    }
    if (link.startsWith("FAIL")) {
      throw new QemuRefused(process.name(), about.text(), link.text());
    }
    if (!link.startsWith("OK")) {
      throw link.garbled(about, "OK or FAIL");
    }
  }

  private void heard(Link.Line about) {
    String[] words = link.text().split(" ", -1);
    if (words.length == 3
        && (words[1].equals("raise") || words[1].equals("lower"))
        && words[2].matches("[0-9]{1,9}")) {
      lines.changed(Integer.parseInt(words[2]), words[1].equals("raise"));
    } else {
      throw link.garbled(about, "IRQ raise or lower with a number");
    }
  }

  private String lastOut() {
    byte[] bytes = new byte[out.limit()];
    out.get(0, bytes);
    return new String(bytes, StandardCharsets.US_ASCII).strip();
  }
}
