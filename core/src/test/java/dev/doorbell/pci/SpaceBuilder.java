package dev.doorbell.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Makes valid configuration spaces, written by offsets of the specification and not by our layouts.
final class SpaceBuilder {
  private final ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
  private int size = 256;
  private int extended;

  private SpaceBuilder() {}

  static SpaceBuilder endpoint() {
    return new SpaceBuilder().ids(0x1af4, 0x1000);
  }

  static SpaceBuilder bridge(int primary, int secondary, int subordinate) {
    SpaceBuilder b = new SpaceBuilder().ids(0x1b36, 0x000c);
    b.bytes.putShort(0x0a, (short) 0x0604).put(0x0e, (byte) 1);
    b.bytes.put(0x18, (byte) primary).put(0x19, (byte) secondary).put(0x1a, (byte) subordinate);
    return b;
  }

  SpaceBuilder ids(int vendor, int device) {
    bytes.putShort(0, (short) vendor).putShort(2, (short) device);
    return this;
  }

  SpaceBuilder hostBridge() {
    bytes.putShort(0x0a, (short) 0x0600);
    return this;
  }

  SpaceBuilder multiFunction() {
    bytes.put(0x0e, (byte) (bytes.get(0x0e) | 0x80));
    return this;
  }

  SpaceBuilder express(PortType type) {
    bytes.putShort(6, (short) 0x10).put(0x34, (byte) 0x40);
    bytes.putShort(0x40, (short) 0x0010).putShort(0x42, (short) (2 | type.encoding() << 4));
    size = 4096;
    return this;
  }

  SpaceBuilder acs(int capability, int control) {
    int at = next(0x0d);
    bytes.putShort(at + 4, (short) capability).putShort(at + 6, (short) control);
    return this;
  }

  SpaceBuilder acsWide(int capability, int control) {
    int at = next(0x0d);
    bytes.putInt(at + 4, capability).putInt(at + 8, control);
    return this;
  }

  SpaceBuilder sriov(int vfs, int offset, int stride, int device) {
    int at = next(0x10);
    bytes
        .putShort(at + 8, (short) 0x19)
        .putShort(at + 0x0e, (short) 8)
        .putShort(at + 0x10, (short) vfs);
    bytes
        .putShort(at + 0x14, (short) offset)
        .putShort(at + 0x16, (short) stride)
        .putShort(at + 0x1a, (short) device);
    return this;
  }

  SpaceBuilder truncate(int to) {
    size = to;
    return this;
  }

  ConfigImage image() {
    return ConfigImage.of(Arrays.copyOf(bytes.array(), size), "built");
  }

  private int next(int id) {
    int at = extended == 0 ? 0x100 : extended + 0x40;
    if (extended != 0) {
      bytes.putInt(extended, bytes.getInt(extended) & 0xfffff | at << 20);
    }
    bytes.putInt(at, id | 1 << 16);
    extended = at;
    return at;
  }
}
