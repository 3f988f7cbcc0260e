package dev.doorbell.pci;

/// A function's configuration space: a live one, or the bytes of a capture. Little-endian.
public interface ConfigSpace {
  /// {@return bytes that can be seen: 0, 64, 256, 4096, or any other size of a partial dump}
  int size();

  /// {@return 1, 2 or 4 bytes, zero-extended; all ones outside {@link #size}}
  int read(int offset, int bytes);

  /// Writes 1, 2 or 4 bytes.
  ///
  /// @throws UnsupportedOperationException when this is a capture
  void write(int offset, int value, int bytes);

  /// Checks an access before it is made.
  ///
  /// @throws IllegalArgumentException when it has not 1, 2 or 4 bytes, is unaligned, or lies outside 4096 bytes
  static void check(int offset, int bytes) {
    if (bytes != 1 && bytes != 2 && bytes != 4) {
      throw new IllegalArgumentException(
          "configuration access of " + bytes + " bytes; it has 1, 2 or 4");
    }
    if (offset < 0 || offset + bytes > CapabilityLayout.EXTENDED_BYTES || offset % bytes != 0) {
      throw new IllegalArgumentException(
          "configuration access of %d bytes at 0x%x is unaligned or outside 4096 bytes"
              .formatted(bytes, offset));
    }
  }

  default int read8(int offset) {
    return read(offset, 1);
  }

  default int read16(int offset) {
    return read(offset, 2);
  }

  default int read32(int offset) {
    return read(offset, 4);
  }
}
