package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Flags and packed words of the I/O Virtualization Reporting Structure.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 5.2 (IVRS).
final class IvrsLayout {
  private IvrsLayout() {}

  /// Offset of the table's IVinfo.
  static final int INFO_AT = 36;

  /// Levels of tables for HATS 0; each further one adds a level.
  static final int FEWEST_LEVELS = 4;

  private static final Layout INFO = Layout.lsb0("IVinfo", 4);
  private static final Layout EFR = Layout.lsb0("IVHD.EFR", 8);
  private static final Layout MEMORY = Layout.lsb0("IVMD.Flags", 1);

  // spotless:off
  static final Field EFR_SUP       = INFO.bit   ("EFRSup",                  0);
  static final Field DMA_GUARD     = INFO.bit   ("DMA remap opt-in",        1);
  static final Field GVA_SIZE      = INFO.bits  ("GVASize",                 7, 5);
  static final Field PA_SIZE       = INFO.bits  ("PASize",                 14, 8);
  static final Field VA_SIZE       = INFO.bits  ("VASize",                 21, 15);
  static final Field HT_ATS_RESV   = INFO.bit   ("HtAtsResv",              22);
  static final Field HATS          = EFR.bits   ("HATS",                   11, 10);
  static final Field UNITY         = MEMORY.bit ("Unity",                   0);
  static final Field READ          = MEMORY.bit ("IR",                      1);
  static final Field WRITE         = MEMORY.bit ("IW",                      2);
  static final Field EXCLUSION     = MEMORY.bit ("ExclusionRange",          3);
  // spotless:on

  static final Layout IV_INFO = INFO.res0(2, 4).res0(23, 31).seal();
  static final Layout FEATURES = EFR.software(0, 9).software(12, 63).seal();
  static final Layout MEMORY_FLAGS = MEMORY.res0(4, 7).seal();
}
