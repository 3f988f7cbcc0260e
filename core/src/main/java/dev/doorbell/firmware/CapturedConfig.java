package dev.doorbell.firmware;

import dev.doorbell.pci.ConfigSpace;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The configuration space of a capture: bytes that do not change.
final class CapturedConfig implements ConfigSpace {
  private static final VarHandle LE16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LE32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] bytes;

  CapturedConfig(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  @Override
  public int size() {
    return bytes.length;
  }

  @Override
  public int read(int offset, int width) {
    boolean inside = offset >= 0 && offset <= bytes.length - width;
    return switch (width) {
      case 1 -> inside ? Byte.toUnsignedInt(bytes[offset]) : 0xff;
      case 2 -> inside ? Short.toUnsignedInt((short) LE16.get(bytes, offset)) : 0xffff;
      case 4 -> inside ? (int) LE32.get(bytes, offset) : -1;
      default ->
          throw new IllegalArgumentException(
              "config space is read by 1, 2 or 4 bytes, not " + width);
    };
  }

  @Override
  public void write(int offset, int value, int width) {
    throw new UnsupportedOperationException(
        "a captured configuration space cannot be written (offset 0x%x, value 0x%x)"
            .formatted(offset, value));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CapturedConfig c && Arrays.equals(bytes, c.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return bytes.length + " bytes of configuration space";
  }
}
