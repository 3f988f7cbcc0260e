package dev.doorbell.qemu;

import java.nio.ByteBuffer;

/// Spells accesses as the qtest protocol has them. Allocates nothing.
final class QtestLine {
  /// The longest line that {@link #write} makes.
  static final int LONGEST = 6 + 1 + 18 + 1 + 18 + 1;

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

  /// {@return the most characters that {@link #write(ByteBuffer, long, byte[])} makes of so many bytes}
  static int longest(int bytes) {
    return LONGEST + 3 + 2 * bytes;
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
