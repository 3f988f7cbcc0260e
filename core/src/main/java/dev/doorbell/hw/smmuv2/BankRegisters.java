package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// One translation context bank of an SMMUv2. Bank n is page n of the upper half of the window.
///
/// SMMU_CBn_TCR and the TLBI operands have a form for each table format: the layouts beside the registers' own. Address
/// translation operations (ATS1*) and performance monitors are gaps.
///
/// **Source** IHI 0062 D.c, 16.5 (stage 1), and the registers of the same names of a stage 2 bank.
public final class BankRegisters {
  private static final Layout L_SCTLR = Layout.lsb0("SMMU_CBn_SCTLR", 4);
  private static final Layout L_ACTLR = Layout.lsb0("SMMU_CBn_ACTLR", 4);
  private static final Layout L_RESUME = Layout.lsb0("SMMU_CBn_RESUME", 4);
  private static final Layout L_TCR2 = Layout.lsb0("SMMU_CBn_TCR2", 4);
  private static final Layout L_TTBR = Layout.lsb0("SMMU_CBn_TTBRm, AArch64", 8);
  private static final Layout L_TTBR32 = Layout.lsb0("SMMU_CBn_TTBRm, AArch32 long", 8);
  private static final Layout L_TCR = Layout.lsb0("SMMU_CBn_TCR, AArch64 stage 1", 4);
  private static final Layout L_TCR32 = Layout.lsb0("SMMU_CBn_TCR, AArch32 long stage 1", 4);
  private static final Layout L_VTCR = Layout.lsb0("SMMU_CBn_TCR, AArch64 stage 2", 4);
  private static final Layout L_VTCR32 = Layout.lsb0("SMMU_CBn_TCR, AArch32 stage 2", 4);
  private static final Layout L_CONTEXTIDR = Layout.lsb0("SMMU_CBn_CONTEXTIDR", 4);
  private static final Layout L_MAIR = Layout.lsb0("SMMU_CBn_MAIRm", 4);
  private static final Layout L_FSR = Layout.lsb0("SMMU_CBn_FSR", 4);
  private static final Layout L_FAR = Layout.lsb0("SMMU_CBn_FAR, SMMU_CBn_IPAFAR", 8);
  private static final Layout L_FSYNR0 = Layout.lsb0("SMMU_CBn_FSYNR0", 4);
  private static final Layout L_FSYNR1 = Layout.lsb0("SMMU_CBn_FSYNR1", 4);
  private static final Layout L_VA = Layout.lsb0("SMMU_CBn_TLBIVA, AArch64", 8);
  private static final Layout L_VA32 = Layout.lsb0("SMMU_CBn_TLBIVA, AArch32", 4);
  private static final Layout L_IPA = Layout.lsb0("SMMU_CBn_TLBIIPAS2", 8);
  private static final Layout L_ASID = Layout.lsb0("SMMU_CBn_TLBIASID", 4);
  private static final Layout L_ANY = Layout.lsb0("SMMU_CBn_TLBIALL, TLBSYNC", 4);
  private static final Layout L_TLBSTATUS = Layout.lsb0("SMMU_CBn_TLBSTATUS", 4);
  private static final ValueNames TG = ValueNames.of(0, "4 KiB", 1, "64 KiB", 2, "16 KiB");

  // spotless:off
  public static final Field SCTLR_M        = L_SCTLR.bit ("M",        0);
  public static final Field SCTLR_TRE      = L_SCTLR.bit ("TRE",      1);
  public static final Field SCTLR_AFE      = L_SCTLR.bit ("AFE",      2);
  public static final Field SCTLR_AFFD     = L_SCTLR.bit ("AFFD",     3);
  public static final Field SCTLR_E        = L_SCTLR.bit ("E",        4);
  public static final Field SCTLR_CFRE     = L_SCTLR.bit ("CFRE",     5);
  public static final Field SCTLR_CFIE     = L_SCTLR.bit ("CFIE",     6);
  public static final Field SCTLR_CFCFG    = L_SCTLR.bit ("CFCFG",    7);
  public static final Field SCTLR_HUPCF    = L_SCTLR.bit ("HUPCF",    8);
  public static final Field SCTLR_WXN      = L_SCTLR.bit ("WXN",      9);
  public static final Field SCTLR_UWXN     = L_SCTLR.bit ("UWXN",    10);
  public static final Field SCTLR_ASIDPNE  = L_SCTLR.bit ("ASIDPNE", 12);
  public static final Field SCTLR_TRANSIENTCFG = L_SCTLR.bits("TRANSIENTCFG", 15, 14);
  public static final Field SCTLR_MEM_ATTR = L_SCTLR.bits("MemAttr", 19, 16);
  public static final Field SCTLR_MTCFG    = L_SCTLR.bit ("MTCFG",   20);
  public static final Field SCTLR_SHCFG    = L_SCTLR.bits("SHCFG",   23, 22);
  public static final Field SCTLR_RACFG    = L_SCTLR.bits("RACFG",   25, 24);
  public static final Field SCTLR_WACFG    = L_SCTLR.bits("WACFG",   27, 26);
  public static final Field SCTLR_NSCFG    = L_SCTLR.bits("NSCFG",   29, 28);

  public static final Field RESUME_TNR     = L_RESUME.bit("TnR",      0);

  public static final Field TCR2_PASIZE    = L_TCR2.bits ("PASize",   2,  0);
  public static final Field TCR2_AS        = L_TCR2.bit  ("AS",       4);
  public static final Field TCR2_TBI0      = L_TCR2.bit  ("TBI0",     5);
  public static final Field TCR2_TBI1      = L_TCR2.bit  ("TBI1",     6);
  public static final Field TCR2_NSCFG0    = L_TCR2.bit  ("NSCFG0",  14);
  public static final Field TCR2_SEP       = L_TCR2.bits ("SEP",     17, 15);
  public static final Field TCR2_NSCFG1    = L_TCR2.bit  ("NSCFG1",  30);

  public static final Field TTBR_BADDR     = L_TTBR.address("BADDR", 47,  0);
  public static final Field TTBR_ASID      = L_TTBR.bits ("ASID",    63, 48);
  public static final Field TTBR32_BADDR   = L_TTBR32.address("BADDR", 39, 0);
  public static final Field TTBR32_ASID    = L_TTBR32.bits("ASID",   55, 48);

  public static final Field TCR_T0SZ       = L_TCR.bits  ("T0SZ",     5,  0);
  public static final Field TCR_EPD0       = L_TCR.bit   ("EPD0",     7);
  public static final Field TCR_IRGN0      = L_TCR.bits  ("IRGN0",    9,  8);
  public static final Field TCR_ORGN0      = L_TCR.bits  ("ORGN0",   11, 10);
  public static final Field TCR_SH0        = L_TCR.bits  ("SH0",     13, 12);
  public static final Field TCR_TG0        = L_TCR.bits  ("TG0",     15, 14, TG);
  public static final Field TCR_T1SZ       = L_TCR.bits  ("T1SZ",    21, 16);
  public static final Field TCR_A1         = L_TCR.bit   ("A1",      22);
  public static final Field TCR_EPD1       = L_TCR.bit   ("EPD1",    23);
  public static final Field TCR_IRGN1      = L_TCR.bits  ("IRGN1",   25, 24);
  public static final Field TCR_ORGN1      = L_TCR.bits  ("ORGN1",   27, 26);
  public static final Field TCR_SH1        = L_TCR.bits  ("SH1",     29, 28);
  public static final Field TCR_TG1        = L_TCR.bits  ("TG1",     31, 30);

  public static final Field TCR32_T0SZ     = L_TCR32.bits("T0SZ",     2,  0);
  public static final Field TCR32_EPD0     = L_TCR32.bit ("EPD0",     7);
  public static final Field TCR32_T1SZ     = L_TCR32.bits("T1SZ",    18, 16);
  public static final Field TCR32_A1       = L_TCR32.bit ("A1",      22);
  public static final Field TCR32_EPD1     = L_TCR32.bit ("EPD1",    23);
  public static final Field TCR32_NSCFG1   = L_TCR32.bit ("NSCFG1",  30);
  public static final Field TCR32_EAE      = L_TCR32.bit ("EAE",     31);

  public static final Field VTCR_T0SZ      = L_VTCR.bits ("T0SZ",     5,  0);
  public static final Field VTCR_SL0       = L_VTCR.bits ("SL0",      7,  6);
  public static final Field VTCR_IRGN0     = L_VTCR.bits ("IRGN0",    9,  8);
  public static final Field VTCR_ORGN0     = L_VTCR.bits ("ORGN0",   11, 10);
  public static final Field VTCR_SH0       = L_VTCR.bits ("SH0",     13, 12);
  public static final Field VTCR_TG0       = L_VTCR.bits ("TG0",     15, 14, TG);
  public static final Field VTCR_PASIZE    = L_VTCR.bits ("PASize",  18, 16);
  public static final Field VTCR_HA        = L_VTCR.bit  ("HA",      21);
  public static final Field VTCR_HD        = L_VTCR.bit  ("HD",      22);

  public static final Field VTCR32_T0SZ    = L_VTCR32.bits("T0SZ",    3,  0);
  public static final Field VTCR32_S       = L_VTCR32.bit ("S",       4);
  public static final Field VTCR32_SL0     = L_VTCR32.bits("SL0",     7,  6);

  public static final Field CONTEXTIDR_ASID   = L_CONTEXTIDR.bits("ASID",    7, 0);
  public static final Field CONTEXTIDR_PROCID = L_CONTEXTIDR.bits("PROCID", 31, 8);

  public static final Field FSR_TF         = L_FSR.bit   ("TF",       1);
  public static final Field FSR_AFF        = L_FSR.bit   ("AFF",      2);
  public static final Field FSR_PF         = L_FSR.bit   ("PF",       3);
  public static final Field FSR_EF         = L_FSR.bit   ("EF",       4);
  public static final Field FSR_TLBMCF     = L_FSR.bit   ("TLBMCF",   5);
  public static final Field FSR_TLBLKF     = L_FSR.bit   ("TLBLKF",   6);
  public static final Field FSR_ASF        = L_FSR.bit   ("ASF",      7);
  public static final Field FSR_UUT        = L_FSR.bit   ("UUT",      8);
  public static final Field FSR_FORMAT     = L_FSR.bits  ("FORMAT",  10,  9);
  public static final Field FSR_SS         = L_FSR.bit   ("SS",      30);
  public static final Field FSR_MULTI      = L_FSR.bit   ("MULTI",   31);

  public static final Field FAR_FADDR      = L_FAR.bits  ("FADDR",   63,  0);

  public static final Field FSYNR0_PLVL    = L_FSYNR0.bits("PLVL",    1,  0);
  /// Of a stage 2 bank: the access passes stage 1 as well; the fault is met by a walk of stage 1's tables.
  public static final Field FSYNR0_NESTED  = L_FSYNR0.bit ("NESTED",  2);
  public static final Field FSYNR0_S1PTWF  = L_FSYNR0.bit ("S1PTWF",  3);
  public static final Field FSYNR0_WNR     = L_FSYNR0.bit ("WNR",     4);
  public static final Field FSYNR0_PNU     = L_FSYNR0.bit ("PNU",     5);
  public static final Field FSYNR0_IND     = L_FSYNR0.bit ("IND",     6);
  public static final Field FSYNR0_NSSTATE = L_FSYNR0.bit ("NSSTATE", 7);
  public static final Field FSYNR0_NSATTR  = L_FSYNR0.bit ("NSATTR",  8);
  public static final Field FSYNR0_ATOF    = L_FSYNR0.bit ("ATOF",    9);
  public static final Field FSYNR0_PTWF    = L_FSYNR0.bit ("PTWF",   10);
  public static final Field FSYNR0_AFR     = L_FSYNR0.bit ("AFR",    11);
  public static final Field FSYNR0_S1CBNDX = L_FSYNR0.bits("S1CBNDX", 23, 16);

  public static final Field TLBIVA_VA      = L_VA.bits   ("VA[55:12]", 43, 0);
  public static final Field TLBIVA_ASID    = L_VA.bits   ("ASID",    63, 48);
  public static final Field TLBIVA32_ASID  = L_VA32.bits ("ASID",     7,  0);
  public static final Field TLBIVA32_VA    = L_VA32.address("VA",    31, 12);
  public static final Field TLBIIPAS2_IPA  = L_IPA.bits  ("IPA[47:12]", 35, 0);
  public static final Field TLBIASID_ASID  = L_ASID.bits ("ASID",    15,  0);
  public static final Field TLBSTATUS_SACTIVE = L_TLBSTATUS.bit("SACTIVE", 0);
  // spotless:on

  /// The address in an operand, without its low 12 bits.
  public static final int OPERAND_SHIFT = 12;

  static {
    L_SCTLR.res0(11, 11).res0(13, 13).res0(21, 21).res0(31, 30).seal();
    L_ACTLR.impdef(31, 0).seal();
    L_RESUME.res0(31, 1).seal();
    L_TCR2.res0(3, 3).ignored(13, 7).res0(29, 18).res0(31, 31).seal();
    L_TTBR.seal();
    L_TTBR32.res0(47, 40).res0(63, 56).seal();
    L_TCR.res0(6, 6).seal();
    L_TCR32.res0(6, 3).ignored(15, 8).res0(21, 19).ignored(29, 24).seal();
    L_VTCR.res0(20, 19).res0(30, 23).res1(31, 31).seal();
    L_VTCR32.res0(5, 5).ignored(13, 8).res0(30, 14).res1(31, 31).seal();
    L_CONTEXTIDR.seal();
    L_MAIR.ignored(31, 0).seal();
    L_FSR.res0(0, 0).res0(29, 11).seal();
    L_FAR.seal();
    L_FSYNR0.res0(15, 12).res0(31, 24).seal();
    L_FSYNR1.impdef(31, 0).seal();
    L_VA.res0(47, 44).seal();
    L_VA32.res0(11, 8).seal();
    L_IPA.res0(63, 36).seal();
    L_ASID.res0(31, 16).seal();
    L_ANY.ignored(31, 0).seal();
    L_TLBSTATUS.res0(31, 1).seal();
  }

  private static final Access RW = Access.RW;
  private static final Access WO = Access.WO;
  private static final RegisterMap.Builder M =
      RegisterMap.named("SMMUv2 context bank", Gr0Registers.BYTES);

  // spotless:off
  public static final Register SCTLR      = M.register("SMMU_CBn_SCTLR",      0x000, Access.rw(0x3fdf_d7ffL), L_SCTLR);
  public static final Register ACTLR      = M.register("SMMU_CBn_ACTLR",      0x004, RW, L_ACTLR);
  public static final Register RESUME     = M.register("SMMU_CBn_RESUME",     0x008, WO, L_RESUME);
  public static final Register TCR2       = M.register("SMMU_CBn_TCR2",       0x010, RW, L_TCR2);
  public static final Register TTBR0      = M.register("SMMU_CBn_TTBR0",      0x020, RW, L_TTBR);
  public static final Register TTBR1      = M.register("SMMU_CBn_TTBR1",      0x028, RW, L_TTBR);
  public static final Register TCR        = M.register("SMMU_CBn_TCR",        0x030, RW, L_TCR);
  public static final Register CONTEXTIDR = M.register("SMMU_CBn_CONTEXTIDR", 0x034, RW, L_CONTEXTIDR);
  public static final Register MAIR0      = M.register("SMMU_CBn_MAIR0",      0x038, RW, L_MAIR);
  public static final Register MAIR1      = M.register("SMMU_CBn_MAIR1",      0x03c, RW, L_MAIR);
  public static final Register FSR        = M.register("SMMU_CBn_FSR",        0x058, Access.W1C, L_FSR);
  /// Sets bits of SMMU_CBn_FSR.
  public static final Register FSRRESTORE = M.register("SMMU_CBn_FSRRESTORE", 0x05c, WO, L_FSR);
  public static final Register FAR        = M.register("SMMU_CBn_FAR",        0x060, RW, L_FAR);
  public static final Register FSYNR0     = M.register("SMMU_CBn_FSYNR0",     0x068, RW, L_FSYNR0);
  public static final Register FSYNR1     = M.register("SMMU_CBn_FSYNR1",     0x06c, RW, L_FSYNR1);
  public static final Register IPAFAR     = M.register("SMMU_CBn_IPAFAR",     0x070, RW, L_FAR);
  public static final Register TLBIVA     = M.register("SMMU_CBn_TLBIVA",     0x600, WO, L_VA);
  public static final Register TLBIVAA    = M.register("SMMU_CBn_TLBIVAA",    0x608, WO, L_VA);
  public static final Register TLBIASID   = M.register("SMMU_CBn_TLBIASID",   0x610, WO, L_ASID);
  public static final Register TLBIALL    = M.register("SMMU_CBn_TLBIALL",    0x618, WO, L_ANY);
  public static final Register TLBIVAL    = M.register("SMMU_CBn_TLBIVAL",    0x620, WO, L_VA);
  public static final Register TLBIVAAL   = M.register("SMMU_CBn_TLBIVAAL",   0x628, WO, L_VA);
  public static final Register TLBIIPAS2  = M.register("SMMU_CBn_TLBIIPAS2",  0x630, WO, L_IPA);
  public static final Register TLBIIPAS2L = M.register("SMMU_CBn_TLBIIPAS2L", 0x638, WO, L_IPA);
  public static final Register TLBSYNC    = M.register("SMMU_CBn_TLBSYNC",    0x7f0, WO, L_ANY);
  public static final Register TLBSTATUS  = M.register("SMMU_CBn_TLBSTATUS",  0x7f4, Access.RO, L_TLBSTATUS);
  // spotless:on

  /// The page.
  public static final RegisterMap MAP = M.seal();

  private BankRegisters() {}
}
