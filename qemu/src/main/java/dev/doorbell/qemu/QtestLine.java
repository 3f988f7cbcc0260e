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
