package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// The process directory of a device: its pointer, which stands in `DC.fsc` where `DC.tc.PDTV` is 1, entries that lead to a next table, and process
/// contexts of 16 bytes.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3.6 (`pdtp`), 2.2 (process-directory-table), 2.3.2 (how a process context is found).
public final class ProcessLayout {
  private ProcessLayout() {}

  /// Bytes of an entry that leads to a next table.
  public static final int POINTER_BYTES = 8;

  /// Bytes of a process context.
  public static final int CONTEXT_BYTES = 16;

  /// Offset of a process context's second doubleword.
  public static final int FSC_AT = 8;

  /// `pdtp.MODE`; the number of levels, too.
  public static final int BARE = 0;

  public static final int PD8 = 1;
  public static final int PD17 = 2;
  public static final int PD20 = 3;

  private static final int FIRST = 8;
  private static final int MIDDLE = 9;
  private static final int PROCESS_ID_BITS = 20;

  private static final ValueNames DIRECTORIES =
      ValueNames.of(BARE, "Bare", PD8, "PD8", PD17, "PD17", PD20, "PD20");
  private static final ValueNames FIRST_STAGE =
      ValueNames.of(
          DirectoryLayout.BARE,
          "Bare",
          DirectoryLayout.SV39,
          "Sv39",
          DirectoryLayout.SV48,
          "Sv48",
          DirectoryLayout.SV57,
          "Sv57");

  private static final Layout PDTP_L = Layout.lsb0("DC.pdtp", 8);
  private static final Layout POINTER_L = Layout.lsb0("non-leaf PDT entry", 8);
  private static final Layout TA_L = Layout.lsb0("PC.ta", 8);
  private static final Layout FSC_L = Layout.lsb0("PC.fsc", 8);

  // spotless:off
  public static final Field PDTP_PPN      = PDTP_L.bits   ("PPN",       43,  0);
  public static final Field PDTP_MODE     = PDTP_L.bits   ("MODE",      63, 60, DIRECTORIES);
  public static final Layout PDTP         = PDTP_L.res0(59, 44).seal();

  public static final Field POINTER_V     = POINTER_L.bit ("V",          0);
  public static final Field POINTER_PPN   = POINTER_L.bits("PPN",       53, 10);
  public static final Layout POINTER      = POINTER_L.res0(9, 1).res0(63, 54).seal();

  public static final Field TA_V          = TA_L.bit      ("V",          0);
  public static final Field TA_ENS        = TA_L.bit      ("ENS",        1);
  public static final Field TA_SUM        = TA_L.bit      ("SUM",        2);
  public static final Field TA_PSCID      = TA_L.bits     ("PSCID",     31, 12);
  public static final Layout TA           = TA_L.res0(11, 3).res0(63, 32).seal();

  public static final Field FSC_PPN       = FSC_L.bits    ("PPN",       43,  0);
  public static final Field FSC_MODE      = FSC_L.bits    ("MODE",      63, 60, FIRST_STAGE);
  public static final Layout FSC          = FSC_L.res0(59, 44).seal();
  // spotless:on

  /// {@return how wide a process_id may be}
  ///
  /// @param mode `pdtp.MODE` other than Bare; its tables
  public static int processIdBits(int mode) {
    return Math.min(PROCESS_ID_BITS, FIRST + (mode - 1) * MIDDLE);
  }

  /// {@return the offset of a process_id's entry within a table of a level}
  ///
  /// @param level 0 for the table of process contexts, 2 for the first one of three
  public static long offset(int processId, int level) {
    if (level == 0) {
      return (long) (processId & ((1 << FIRST) - 1)) * CONTEXT_BYTES;
    }
    int low = processIdBits(level);
    int high = processIdBits(level + 1);
    return (long) ((processId >>> low) & ((1 << (high - low)) - 1)) * POINTER_BYTES;
  }
}
