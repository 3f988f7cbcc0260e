package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// An entry of the requester id translation table (RTT), big-endian in memory: the PE of a requester id.
public final class RttLayout {
  public static final int BYTES = 2;

  /// Entries: one for each requester id.
  public static final int ENTRIES = 0x1_0000;

  private static final Layout L = Layout.msb0("RTE", 2);

  // spotless:off
  public static final Field PE      = L.bits("PE", 0, 15);
  public static final Layout LAYOUT = L.seal();
  // spotless:on

  private RttLayout() {}

  /// {@return an entry as it lies in memory, or the other way round}
  public static int swapped(long word) {
    return Short.toUnsignedInt(Short.reverseBytes((short) word));
  }
}
