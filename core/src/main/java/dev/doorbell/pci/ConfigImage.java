package dev.doorbell.pci;

import java.util.Arrays;
import java.util.Objects;

/// The configuration space of a capture. Immutable; any size from 0 to 4096 bytes, odd ones included. Equal bytes are
/// equal images, wherever they were read.
public final class ConfigImage implements ConfigSpace {
  private final byte[] bytes;
  private final String where;

  private ConfigImage(byte[] bytes, String where) {
    this.bytes = bytes;
    this.where = where;
  }

  /// {@return an image of some bytes}
  ///
  /// @param where the file they were read from, for messages
  /// @throws IllegalArgumentException when there are more than 4096
  public static ConfigImage of(byte[] bytes, String where) {
    if (bytes.length > CapabilityLayout.EXTENDED_BYTES) {
      throw tooLarge(where, bytes.length);
    }
    return new ConfigImage(bytes.clone(), where);
  }

  /// As {@link #of}, of the first bytes alone.
  ///
  /// @throws IndexOutOfBoundsException when there are fewer
  public static ConfigImage ofFirst(int count, byte[] bytes, String where) {
    if (count > CapabilityLayout.EXTENDED_BYTES) {
      throw tooLarge(where, count);
    }
    Objects.checkFromIndexSize(0, count, bytes.length);
    return new ConfigImage(Arrays.copyOf(bytes, count), where);
  }

  private static IllegalArgumentException tooLarge(String where, int bytes) {
    return new IllegalArgumentException(
        "%s holds %d bytes; configuration space has at most 4096".formatted(where, bytes));
  }

  /// {@return where the bytes were read}
  public String where() {
    return where;
  }

  @Override
  public int size() {
    return bytes.length;
  }

  @Override
  public int read(int offset, int count) {
    ConfigSpace.check(offset, count);
    int value = 0;
    for (int i = count - 1; i >= 0; i--) {
      int at = offset + i;
      value = value << Byte.SIZE | (at < bytes.length ? bytes[at] & 0xff : 0xff);
    }
    return value;
  }

  @Override
  public void write(int offset, int value, int count) {
    throw new UnsupportedOperationException(
        "write of 0x%x at 0x%x of %s, which is a capture".formatted(value, offset, where));
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof ConfigImage i && Arrays.equals(bytes, i.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return where + " (" + bytes.length + " bytes)";
  }
}
