package dev.doorbell.qemu;

import java.nio.ByteBuffer;

/// Spells accesses as the qtest protocol has them. Allocates nothing.
final class QtestLine {
  /// The longest line that {@link #write} makes.
  static final int LONGEST = 6 + 1 + 18 + 1 + 18 + 1;

  /// The characters of a byte with what is before it.
  static final int BYTE = 1 + 4;

  private static final int PORTS = 0x1_0000;

  private QtestLine() {}

  static void read(ByteBuffer out, long address, int bytes) {
    ascii(out, "read");
    size(out, bytes);
    hex(out, address);
    out.put((byte) '\n');
  }

  static void write(ByteBuffer out, long address, long value, int bytes) {
    ascii(out, "write");
    size(out, bytes);
    hex(out, address);
    hex(out, bytes == Long.BYTES ? value : value & ((1L << (bytes * Byte.SIZE)) - 1));
    out.put((byte) '\n');
  }

  /// Spells a read of an I/O port.
  static void in(ByteBuffer out, int port, int bytes) {
    ascii(out, "in");
    portSize(out, port, bytes);
    hex(out, port);
    out.put((byte) '\n');
  }

  /// Spells a write to an I/O port.
  static void out(ByteBuffer out, int port, long value, int bytes) {
    ascii(out, "out");
    portSize(out, port, bytes);
    hex(out, port);
    hex(out, value & ((1L << (bytes * Byte.SIZE)) - 1));
    out.put((byte) '\n');
  }

  /// Spells a write of bytes that lie one behind the other.
  static void write(ByteBuffer out, long address, byte[] bytes) {
    ascii(out, "write");
    hex(out, address);
    hex(out, bytes.length);
    ascii(out, " 0x");
    for (byte b : bytes) {
      out.put((byte) Character.forDigit(b >>> 4 & 15, 16));
      out.put((byte) Character.forDigit(b & 15, 16));
    }
    out.put((byte) '\n');
  }

  /// Spells a fill of memory.
  static void fill(ByteBuffer out, long address, int bytes, byte value) {
    ascii(out, "memset");
    hex(out, address);
    hex(out, bytes);
    hex(out, value & 0xff);
    out.put((byte) '\n');
  }

  /// {@return the most characters that {@link #write(ByteBuffer, long, byte[])} makes of so many bytes}
  static int longest(int bytes) {
    return LONGEST + 3 + 2 * bytes;
  }

  private static void portSize(ByteBuffer out, int port, int bytes) {
    if (bytes != 1 && bytes != 2 && bytes != 4) {
      throw new IllegalArgumentException("a port's access has 1, 2 or 4 bytes, not " + bytes);
    }
    if (port < 0 || port > PORTS - bytes) {
      throw new IllegalArgumentException(
          "%d bytes at port 0x%x are not among the ports 0 to 0xffff".formatted(bytes, port));
    }
    size(out, bytes);
  }

  private static void size(ByteBuffer out, int bytes) {
    out.put(
        switch (bytes) {
          case 1 -> (byte) 'b';
          case 2 -> (byte) 'w';
          case 4 -> (byte) 'l';
          case 8 -> (byte) 'q';
          default ->
              throw new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + bytes);
        });
  }

  private static void ascii(ByteBuffer out, String text) {
    for (int i = 0; i < text.length(); i++) {
      out.put((byte) text.charAt(i));
    }
  }

  private static void hex(ByteBuffer out, long value) {
    ascii(out, " 0x");
    int digits = Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(value) + 3) / 4);
    for (int i = digits - 1; i >= 0; i--) {
      out.put((byte) Character.forDigit((int) (value >>> (i * 4)) & 15, 16));
    }
  }
}
