package dev.doorbell.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Little-endian bytes put down field by field, at growing or stated offsets.
final class Bytes {
  private ByteBuffer buffer = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
  private int end;

  Bytes at(int offset) {
    grow(offset);
    end = Math.max(end, buffer.position());
    buffer.position(offset);
    return this;
  }

  Bytes u8(long... values) {
    for (long v : values) {
      grow(buffer.position() + 1);
      buffer.put((byte) v);
    }
    return this;
  }

  Bytes u16(long... values) {
    for (long v : values) {
      grow(buffer.position() + 2);
      buffer.putShort((short) v);
    }
    return this;
  }

  Bytes u32(long... values) {
    for (long v : values) {
      grow(buffer.position() + 4);
      buffer.putInt((int) v);
    }
    return this;
  }

  Bytes u64(long... values) {
    for (long v : values) {
      grow(buffer.position() + 8);
      buffer.putLong(v);
    }
    return this;
  }

  Bytes text(String text) {
    for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
      u8(b);
    }
    return this;
  }

  int position() {
    return buffer.position();
  }

  byte[] toArray(int size) {
    end = Math.max(end, buffer.position());
    return Arrays.copyOf(Arrays.copyOf(buffer.array(), Math.min(end, buffer.capacity())), size);
  }

  byte[] toArray() {
    return toArray(Math.max(end, buffer.position()));
  }

  /// {@return an ACPI table with this body: its header, length and checksum are filled in}
  ///
  /// **Source**: ACPI 6.5, 5.2.6.
  static byte[] table(String signature, int revision, Bytes body) {
    byte[] inner = body.toArray();
    byte[] out =
        new Bytes()
            .text(signature)
            .u32(AcpiTable.HEADER + inner.length)
            .u8(revision, 0)
            .text("DRBELL")
            .text("SAMPLE  ")
            .u32(1)
            .text("DRBL")
            .u32(1)
            .toArray(AcpiTable.HEADER + inner.length);
    System.arraycopy(inner, 0, out, AcpiTable.HEADER, inner.length);
    int sum = 0;
    for (byte b : out) {
      sum += b;
    }
    out[9] = (byte) -sum;
    return out;
  }

  private void grow(int size) {
    if (size > buffer.capacity()) {
      int position = buffer.position();
      buffer =
          ByteBuffer.wrap(Arrays.copyOf(buffer.array(), Math.max(size, 2 * buffer.capacity())))
              .order(ByteOrder.LITTLE_ENDIAN);
      buffer.position(position);
    }
  }
}
