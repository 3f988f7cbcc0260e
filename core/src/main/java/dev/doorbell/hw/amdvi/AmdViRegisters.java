package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The registers of an AMD IOMMU that say how its tables are read.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 3.4.1 (Device Table Base Address Register,
/// IOMMU Control Register).
public final class AmdViRegisters {
  private static final Layout D = Layout.lsb0("DevTabBase", 8);
  private static final Layout C = Layout.lsb0("Control", 8);

  // spotless:off
  public static final Field DEV_TAB_SIZE = D.bits   ("Size",        8, 0);
  public static final Field DEV_TAB_BASE = D.address("DevTabBase", 51, 12);
  public static final Field IOMMU_EN     = C.bit    ("IommuEn",     0);
  public static final Field HT_TUN_EN    = C.bit    ("HtTunEn",     1);
  public static final Field EVENT_LOG_EN = C.bit    ("EventLogEn",  2);
  public static final Field COHERENT     = C.bit    ("Coherent",   10);
  public static final Field CMD_BUF_EN   = C.bit    ("CmdBufEn",   12);
  public static final Field GT_EN        = C.bit    ("GTEn",       16);
  public static final Field GA_EN        = C.bit    ("GAEn",       17);
  public static final Field NUM_INT_REMAP_MODE = C.bits("NumIntRemapMode", 44, 43);
  public static final Field XT_EN        = C.bit    ("XTEn",       50);
  public static final Field INT_CAP_XT_EN = C.bit   ("IntCapXTEn", 51);
  // spotless:on

  public static final Layout DEV_TAB = D.res0(11, 9).res0(63, 52).seal();
  public static final Layout CONTROL =
      C.software(9, 3)
          .software(11, 11)
          .software(15, 13)
          .software(42, 18)
          .software(49, 45)
          .software(63, 52)
          .seal();

  private AmdViRegisters() {}
}
