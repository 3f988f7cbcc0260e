package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What lies where scenarios' leaves lead, when devices read: each word of four bytes is another one, so that what was read tells from where.
final class TargetPattern {
  /// Makes of an address what is neither one of RAM nor the datum of a message.
  private static final int MARK = 0xfe00_0000;

  private static final byte[] ALL = make();

  private TargetPattern() {}

  private static byte[] make() {
    ByteBuffer out = ByteBuffer.allocate(Board.TARGET_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < Board.TARGET_BYTES; at += Integer.BYTES) {
      out.putInt((int) (Board.TARGETS + at) ^ MARK);
    }
    return out.array();
  }

  static void fill(PhysicalMemory memory) {
    memory.write(Board.TARGETS, ALL);
  }
}
