package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// A virtual structure descriptor (VSD): where one block of a table is. Bit 0 is the most significant.
public final class VsdLayout {
  /// Tables, as VSD_TABLE_ADDR.SELECT names them.
  public static final int EAT = 0;

  /// The same table's number on POWER10.
  public static final int EAT2 = 1;

  public static final int ENDT = 2;
  public static final int NVTT = 3;
  public static final int TABLES = 4;

  /// Blocks of a table.
  public static final int BLOCKS = 16;

  public static final int EXCLUSIVE = 2;

  private static final int LEAST_SHIFT = 12;

  private static final Layout L = Layout.msb0("VSD", 8);

  // spotless:off
  public static final Field MODE          = L.bits   ("MODE",           0,  1, ValueNames.of(0, "invalid", 1, "shared", EXCLUSIVE, "exclusive", 3, "forward"));
  public static final Field ADDRESS       = L.address("ADDRESS",        4, 51);
  public static final Field MIGRATION_REG = L.bits   ("MIGRATION_REG", 52, 55);
  public static final Field INDIRECT      = L.bit    ("INDIRECT",      56);
  public static final Field TSIZE         = L.bits   ("TSIZE",         59, 63);
  public static final Layout LAYOUT       = L.res0(2, 3).res0(57, 58).seal();
  // spotless:on

  private VsdLayout() {}

  /// {@return the descriptor of a table that lies in one piece}
  ///
  /// @param at at a multiple of its size
  /// @param bytes a power of two, 4 KiB and above
  static long direct(long at, long bytes) {
    return MODE.place(EXCLUSIVE)
        | ADDRESS.get(at)
        | TSIZE.place(Long.numberOfTrailingZeros(bytes) - (long) LEAST_SHIFT);
  }

  /// {@return bytes of the table; 0 when there is none in one piece}
  public static long bytes(long vsd) {
    return MODE.get(vsd) == EXCLUSIVE && !INDIRECT.isSet(vsd)
        ? 1L << LEAST_SHIFT + TSIZE.getInt(vsd)
        : 0;
  }
}
