package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// A word of a set of PEs, PE 0 its most significant bit: PEEV in the bridge itself (which PEs are in error), and a row of PELT-V in memory,
/// big-endian (which PEs are stopped along with one).
public final class PeVectorLayout {
  /// PEs of a word.
  public static final int PER_WORD = Long.SIZE;

  private static final Layout L = Layout.msb0("PE vector", 8);

  // spotless:off
  public static final Field FIRST   = L.bit ("PE 0",      0);
  public static final Field OTHERS  = L.bits("PE 1..63",  1, 63);
  public static final Layout LAYOUT = L.seal();
  // spotless:on

  private PeVectorLayout() {}

  /// {@return the bit of a PE in its word}
  public static long bit(int pe) {
    return FIRST.mask() >>> pe;
  }

  /// {@return a word as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Long.reverseBytes(word);
  }
}
