package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Commands: two doublewords each.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.1.
public final class CommandLayout {
  private CommandLayout() {}

  public static final int BYTES = 16;

  /// `opcode`.
  public static final int IOTINVAL = 1;

  public static final int IOFENCE = 2;
  public static final int IODIR = 3;
  public static final int ATS = 4;

  /// `func3`.
  public static final int VMA = 0;

  public static final int GVMA = 1;
  public static final int FENCE_C = 0;
  public static final int INVAL_DDT = 0;
  public static final int INVAL_PDT = 1;
  public static final int ATS_INVAL = 0;
  public static final int ATS_PRGR = 1;

  private static final Layout INVAL_L = Layout.lsb0("IOTINVAL", 8);
  private static final Layout INVAL_ADDR_L = Layout.lsb0("IOTINVAL.ADDR", 8);
  private static final Layout FENCE_L = Layout.lsb0("IOFENCE", 8);
  private static final Layout FENCE_ADDR_L = Layout.lsb0("IOFENCE.ADDR", 8);
  private static final Layout DIR_L = Layout.lsb0("IODIR", 8);
  private static final Layout ATS_L = Layout.lsb0("ATS", 8);
  private static final Layout ATS_INVAL_L = Layout.lsb0("ATS.INVAL payload", 8);
  private static final Layout ATS_PRGR_L = Layout.lsb0("ATS.PRGR payload", 8);

  // spotless:off
  public static final Field OPCODE       = INVAL_L.bits("opcode",     6,  0);
  public static final Field FUNC3        = INVAL_L.bits("func3",      9,  7);
  public static final Field AV           = INVAL_L.bit ("AV",        10);
  public static final Field PSCID        = INVAL_L.bits("PSCID",     31, 12);
  public static final Field PSCV         = INVAL_L.bit ("PSCV",      32);
  public static final Field GV           = INVAL_L.bit ("GV",        33);
  public static final Field NL           = INVAL_L.bit ("NL",        34);
  public static final Field GSCID        = INVAL_L.bits("GSCID",     59, 44);
  public static final Layout INVAL       = INVAL_L.res0(11, 11).res0(43, 35).res0(63, 60).seal();

  public static final Field RANGE        = INVAL_ADDR_L.bit ("S",     9);
  public static final Field ADDR         = INVAL_ADDR_L.bits("ADDR[63:12]", 61, 10);
  public static final Layout INVAL_ADDR  = INVAL_ADDR_L.res0(8, 0).res0(63, 62).seal();

  public static final Field FENCE_OPCODE = FENCE_L.bits("opcode",     6,  0);
  public static final Field FENCE_FUNC3  = FENCE_L.bits("func3",      9,  7);
  public static final Field FENCE_AV     = FENCE_L.bit ("AV",        10);
  public static final Field FENCE_WSI    = FENCE_L.bit ("WSI",       11);
  public static final Field FENCE_PR     = FENCE_L.bit ("PR",        12);
  public static final Field FENCE_PW     = FENCE_L.bit ("PW",        13);
  public static final Field FENCE_DATA   = FENCE_L.bits("DATA",      63, 32);
  public static final Layout FENCE       = FENCE_L.res0(31, 14).seal();

  public static final Field FENCE_WORD   = FENCE_ADDR_L.bits("ADDR[63:2]", 61, 0);
  public static final Layout FENCE_ADDR  = FENCE_ADDR_L.res0(63, 62).seal();

  public static final Field DIR_OPCODE   = DIR_L.bits  ("opcode",     6,  0);
  public static final Field DIR_FUNC3    = DIR_L.bits  ("func3",      9,  7);
  public static final Field PID          = DIR_L.bits  ("PID",       31, 12);
  public static final Field DV           = DIR_L.bit   ("DV",        33);
  public static final Field DID          = DIR_L.bits  ("DID",       63, 40);
  public static final Layout DIR         = DIR_L.res0(11, 10).res0(32, 32).res0(39, 34).seal();

  public static final Field ATS_OPCODE   = ATS_L.bits  ("opcode",     6,  0);
  public static final Field ATS_FUNC3    = ATS_L.bits  ("func3",      9,  7);
  public static final Field ATS_PID      = ATS_L.bits  ("PID",       31, 12);
  public static final Field ATS_PV       = ATS_L.bit   ("PV",        32);
  public static final Field ATS_DSV      = ATS_L.bit   ("DSV",       33);
  public static final Field ATS_RID      = ATS_L.bits  ("RID",       55, 40);
  public static final Field ATS_DSEG     = ATS_L.bits  ("DSEG",      63, 56);
  public static final Layout ATS_WORD    = ATS_L.res0(11, 10).res0(39, 34).seal();

  public static final Field ATS_GLOBAL   = ATS_INVAL_L.bit ("G",      0);
  public static final Field ATS_SIZE     = ATS_INVAL_L.bit ("S",     11);
  public static final Field ATS_ADDRESS  = ATS_INVAL_L.address("Untranslated Address", 63, 12);
  public static final Layout ATS_INVAL_PAYLOAD = ATS_INVAL_L.res0(10, 1).seal();

  public static final Field ATS_GROUP    = ATS_PRGR_L.bits("Page Request Group Index", 40, 32);
  public static final Field ATS_RESPONSE = ATS_PRGR_L.bits("Response Code", 47, 44);
  public static final Layout ATS_PRGR_PAYLOAD = ATS_PRGR_L.res0(31, 0).res0(43, 41).res0(63, 48).seal();
  // spotless:on
}
