package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// An event assignment structure (EAS), big-endian in memory: the END that a source's events go to, and what is written to its queue. Bit 0 is the
/// most significant.
public final class EasLayout {
  public static final int BYTES = 8;

  private static final Layout L = Layout.msb0("EAS", 8);

  // spotless:off
  public static final Field VALID     = L.bit ("VALID",     0);
  public static final Field END_BLOCK = L.bits("END_BLOCK", 4,  7);
  public static final Field END_INDEX = L.bits("END_INDEX", 8, 31);
  public static final Field MASKED    = L.bit ("MASKED",   32);
  public static final Field END_DATA  = L.bits("END_DATA", 33, 63);
  public static final Layout LAYOUT   = L.res0(1, 3).seal();
  // spotless:on

  private EasLayout() {}

  /// {@return an entry as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Long.reverseBytes(word);
  }
}
