package dev.doorbell.fuzz;

import java.util.Arrays;

/// Bytes that a fuzzer chose, taken from the front. Behind the end everything is zero.
public final class FuzzInput {
  private final byte[] bytes;
  private int at;

  public FuzzInput(byte[] bytes) {
    this.bytes = bytes;
  }

  public boolean isEmpty() {
    return at >= bytes.length;
  }

  /// {@return one byte, 0 to 255}
  public int next8() {
    return at < bytes.length ? bytes[at++] & 0xff : 0;
  }

  /// {@return so many bytes, or as many as are left}
  public byte[] next(int count) {
    int from = Math.min(at, bytes.length);
    at = Math.min(bytes.length, from + count);
    return Arrays.copyOfRange(bytes, from, at);
  }

  /// {@return two bytes, little-endian}
  public int next16() {
    return next8() | next8() << Byte.SIZE;
  }

  /// {@return four bytes, little-endian, zero-extended}
  public long next32() {
    return next16() | (long) next16() << Short.SIZE;
  }

  /// {@return eight bytes, little-endian}
  public long next64() {
    return next32() | next32() << Integer.SIZE;
  }

  /// {@return an address near the start of memory, as entries of tables hold them; sometimes any number}
  ///
  /// @param base of the memory
  /// @param span bytes of it, a power of two up to 64 KiB
  public long nextWord(long base, int span) {
    return switch (next8() & 3) {
      case 0 -> next64();
      case 1 -> base + (next16() & (span - 1));
      case 2 -> (base + (next16() & (span - 1) & ~0xfff)) | next16() & 0xfff;
      default -> next16();
    };
  }
}
