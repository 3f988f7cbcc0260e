package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// A translation validation entry (TVE): where the TCE tables of one of a PE's two windows are, or that the window is not translated. In the bridge
/// itself, table 9 of IODA2 and IODA3; bit 0 is the most significant.
///
/// Entry `2 * PE + bit 59 of the address` is used.
public final class TveLayout {
  /// Windows of a PE.
  public static final int PER_PE = 2;

  /// Highest value of {@link #NUM_LEVELS}: five levels.
  public static final int MOST_LEVELS = 4;

  /// log2 of the bytes of the smallest table.
  static final int LEAST_TABLE = 12;

  private static final int SHIFT_OF_TABLE = 12;
  private static final int LEAST_ENTRIES = 8;
  private static final int LEAST_PAGE = 11;

  /// Addresses of an untranslated window count in units of 16 MiB.
  private static final int REAL_SHIFT = 24;

  private static final int REAL_LOW_BITS = 24;

  private static final Layout L = Layout.msb0("TVE", 8);
  private static final Layout R = Layout.msb0("TVE, not translated", 8);
  private static final Layout A = Layout.lsb0("DMA address", 8);
  private static final Layout REAL = Layout.lsb0("DMA address, not translated", 8);

  // spotless:off
  public static final Field TABLE_ADDR       = L.bits("TABLE_ADDR",        0, 47);
  public static final Field NUM_LEVELS       = L.bits("NUM_LEVELS",       48, 50);
  public static final Field TABLE_SIZE       = L.bits("TCE_TABLE_SIZE",   51, 55);
  public static final Field NON_TRANSLATE_50 = L.bit ("NON_TRANSLATE_50", 56);
  public static final Field IO_PSIZE         = L.bits("IO_PSIZE",         59, 63);
  public static final Layout LAYOUT          = L.res0(57, 58).seal();

  public static final Field REAL_START       = R.bits("start[47:24]",      0, 23);
  public static final Field REAL_END         = R.bits("end[47:24]",       24, 47);
  public static final Field REAL_ON          = R.bit ("on",               51);
  public static final Field REAL_START_HIGH  = R.bits("start[49:48]",     52, 53);
  public static final Field REAL_END_HIGH    = R.bits("end[49:48]",       54, 55);
  public static final Field REAL_MODE        = R.bit ("NON_TRANSLATE_50", 56);
  public static final Layout REAL_LAYOUT     = R.res0(48, 50).res0(57, 63).seal();

  public static final Field KIND             = A.bits("kind",             63, 60);
  public static final Field WINDOW           = A.bit ("window",               59);
  public static final Field OFFSET           = A.bits("offset",           58,  0);
  public static final Layout ADDRESS_LAYOUT  = A.seal();

  public static final Field REAL_ADDRESS        = REAL.bits("address", 49, 0);
  public static final Layout REAL_ADDRESS_LAYOUT = REAL.ignored(63, 50).seal();
  // spotless:on

  private TveLayout() {}

  /// {@return an entry for TCE tables}
  ///
  /// @param table address of the first table, at a multiple of 4 KiB
  /// @param levels 1 to 5
  /// @param entriesShift log2 of the TCEs of a table, 9 and above
  /// @param pageShift log2 of the bytes that a TCE maps
  public static long tables(long table, int levels, int entriesShift, int pageShift) {
    return TABLE_ADDR.place(table >>> SHIFT_OF_TABLE)
        | NUM_LEVELS.place(levels - 1L)
        | TABLE_SIZE.place(entriesShift - (long) LEAST_ENTRIES)
        | IO_PSIZE.place(pageShift - (long) LEAST_PAGE);
  }

  /// {@return an entry of a window whose addresses are physical, all of them below 2^50}
  public static long untranslated() {
    return REAL_END.place(REAL_END.max())
        | REAL_END_HIGH.place(REAL_END_HIGH.max())
        | REAL_ON.place(1)
        | REAL_MODE.place(1);
  }

  /// {@return whether an untranslated window holds an address}
  ///
  /// @param offset the address below bit 59
  static boolean holds(long tve, long offset) {
    long at = offset >>> REAL_SHIFT;
    return REAL_ON.isSet(tve)
        && at >= unit(REAL_START_HIGH.get(tve), REAL_START.get(tve))
        && at <= unit(REAL_END_HIGH.get(tve), REAL_END.get(tve));
  }

  private static long unit(long high, long low) {
    return high << REAL_LOW_BITS | low;
  }

  /// {@return the address of the first table}
  public static long table(long tve) {
    return TABLE_ADDR.get(tve) << SHIFT_OF_TABLE;
  }

  public static int entriesShift(long tve) {
    return TABLE_SIZE.getInt(tve) + LEAST_ENTRIES;
  }

  public static int pageShift(long tve) {
    return IO_PSIZE.getInt(tve) + LEAST_PAGE;
  }

  /// {@return the entry of a PE that an address selects}
  public static int index(int pe, long address) {
    return pe * PER_PE + WINDOW.getInt(address);
  }
}
