package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// The state of a PE (PEST): two big-endian words a PE in memory, and tables 7 and 8 in the bridge itself. Bit 0 is the most significant.
public final class PestLayout {
  /// Bytes of a PE's state in memory.
  public static final int BYTES = 16;

  public static final int DMA_WRITE = 0;
  public static final int MSI = 1;
  public static final int DMA_READ = 2;

  private static final Layout A = Layout.msb0("PESTA", 8);
  private static final Layout B = Layout.msb0("PESTB", 8);

  // spotless:off
  public static final Field MMIO_FROZEN      = A.bit ("MMIO_FROZEN",       0);
  public static final Field MMIO_CAUSE       = A.bit ("MMIO_CAUSE",        2);
  public static final Field CFG_READ         = A.bit ("CFG_READ",          3);
  public static final Field CFG_WRITE        = A.bit ("CFG_WRITE",         4);
  public static final Field TTYPE            = A.bits("TTYPE",          5, 7, ValueNames.of(DMA_WRITE, "DMA write", MSI, "MSI", DMA_READ, "DMA read", 4, "MMIO load", 5, "MMIO store", 7, "other"));
  public static final Field CA_RETURN        = A.bit ("CA_RETURN",         8);
  public static final Field UR_RETURN        = A.bit ("UR_RETURN",         9);
  public static final Field IODA3_ERROR      = A.bit ("IODA3_ERROR",      16);
  public static final Field TCE_PAGE_FAULT   = A.bit ("TCE_PAGE_FAULT",   18);
  public static final Field TCE_ACCESS_FAULT = A.bit ("TCE_ACCESS_FAULT", 19);
  public static final Field LEM_BIT          = A.bits("LEM_BIT",      26, 31);
  public static final Field RID              = A.bits("RID",          32, 47);
  public static final Field MSI_DATA         = A.bits("MSI_DATA",     48, 63);
  public static final Layout A_LAYOUT        = A.impdef(1, 1).impdef(10, 15).impdef(17, 17).impdef(20, 25).seal();

  public static final Field DMA_STOPPED      = B.bit ("DMA_STOPPED",       0);
  public static final Field FAIL_ADDR        = B.bits("FAIL_ADDR",     3, 63);
  public static final Layout B_LAYOUT        = B.impdef(1, 2).seal();
  // spotless:on

  private PestLayout() {}

  /// {@return a word as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Long.reverseBytes(word);
  }
}
