package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// A translation control entry (TCE), big-endian in memory: a page and what may be done to it, or, above the last level, the next table. Bit 0 is
/// the most significant.
public final class TceLayout {
  public static final int BYTES = 8;

  private static final Layout L = Layout.msb0("TCE", 8);

  // spotless:off
  public static final Field RPN     = L.address("RPN", 0, 51);
  public static final Field WRITE   = L.bit    ("W",      62);
  public static final Field READ    = L.bit    ("R",      63);
  public static final Layout LAYOUT = L.ignored(52, 61).seal();
  // spotless:on

  private TceLayout() {}

  /// {@return an entry as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Long.reverseBytes(word);
  }

  /// {@return whether anything may be done}
  public static boolean isValid(long tce) {
    return WRITE.isSet(tce) || READ.isSet(tce);
  }
}
