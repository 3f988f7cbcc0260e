package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// Global register space 0 of an SMMUv2, as the Non-secure side sees it: page 0 of the window.
///
/// Registers of the Secure side, of address translation operations (GATS) and of MONC are gaps. The 128 stream match and
/// stream-to-context registers are declared; the extended ones beyond them (EXSMRG) are not.
///
/// **Source** IHI 0062 D.c, 9.6.
public final class Gr0Registers {
  /// Bytes of the page that have registers, whether pages are 4 or 64 KiB.
  public static final int BYTES = 0x1000;

  /// The most stream match registers without the extension.
  public static final int MOST_STREAMS = 128;

  private static final Layout L_CR0 = Layout.lsb0("SMMU_sCR0", 4);
  private static final Layout L_CR2 = Layout.lsb0("SMMU_sCR2", 4);
  private static final Layout L_ACR = Layout.lsb0("SMMU_sACR", 4);
  private static final Layout L_IDR0 = Layout.lsb0("SMMU_IDR0", 4);
  private static final Layout L_IDR1 = Layout.lsb0("SMMU_IDR1", 4);
  private static final Layout L_IDR2 = Layout.lsb0("SMMU_IDR2", 4);
  private static final Layout L_IDR7 = Layout.lsb0("SMMU_IDR7", 4);
  private static final Layout L_GFAR = Layout.lsb0("SMMU_sGFAR", 8);
  private static final Layout L_GFSR = Layout.lsb0("SMMU_sGFSR", 4);
  private static final Layout L_GFSYNR0 = Layout.lsb0("SMMU_sGFSYNR0", 4);
  private static final Layout L_GFSYNR1 = Layout.lsb0("SMMU_sGFSYNR1", 4);
  private static final Layout L_TLBI_ANY = Layout.lsb0("SMMU_TLBIALL*", 4);
  private static final Layout L_TLBIVMID = Layout.lsb0("SMMU_TLBIVMID", 4);
  private static final Layout L_TLBGSTATUS = Layout.lsb0("SMMU_sTLBGSTATUS", 4);
  private static final Layout L_SMR = Layout.lsb0("SMMU_SMRn", 4);
  private static final Layout L_EXSMR = Layout.lsb0("SMMU_SMRn, SMMU_sCR0.EXIDENABLE = 1", 4);
  private static final Layout L_S2CR = Layout.lsb0("SMMU_S2CRn", 4);

  private static final ValueNames TYPES =
      ValueNames.of(0, "translation context bank", 1, "bypass", 2, "fault");
  private static final ValueNames WIDTHS =
      ValueNames.of(
          0, "32 bits", 1, "36 bits", 2, "40 bits", 3, "42 bits", 4, "44 bits", 5, "48 bits");

  // spotless:off
  public static final Field CR0_CLIENTPD     = L_CR0.bit ("CLIENTPD",       0);
  public static final Field CR0_GFRE         = L_CR0.bit ("GFRE",           1);
  public static final Field CR0_GFIE         = L_CR0.bit ("GFIE",           2);
  public static final Field CR0_EXIDENABLE   = L_CR0.bit ("EXIDENABLE",     3);
  public static final Field CR0_GCFGFRE      = L_CR0.bit ("GCFGFRE",        4);
  public static final Field CR0_GCFGFIE      = L_CR0.bit ("GCFGFIE",        5);
  public static final Field CR0_TRANSIENTCFG = L_CR0.bits("TRANSIENTCFG",   7,  6);
  public static final Field CR0_STALLD       = L_CR0.bit ("STALLD",         8);
  public static final Field CR0_GSE          = L_CR0.bit ("GSE",            9);
  public static final Field CR0_USFCFG       = L_CR0.bit ("USFCFG",        10);
  public static final Field CR0_VMIDPNE      = L_CR0.bit ("VMIDPNE",       11);
  public static final Field CR0_PTM          = L_CR0.bit ("PTM",           12);
  public static final Field CR0_FB           = L_CR0.bit ("FB",            13);
  public static final Field CR0_BSU          = L_CR0.bits("BSU",           15, 14);
  public static final Field CR0_MEM_ATTR     = L_CR0.bits("MemAttr",       19, 16);
  public static final Field CR0_MTCFG        = L_CR0.bit ("MTCFG",         20);
  public static final Field CR0_SMCFCFG      = L_CR0.bit ("SMCFCFG",       21);
  public static final Field CR0_SHCFG        = L_CR0.bits("SHCFG",         23, 22);
  public static final Field CR0_RACFG        = L_CR0.bits("RACFG",         25, 24);
  public static final Field CR0_WACFG        = L_CR0.bits("WACFG",         27, 26);
  public static final Field CR0_HYPMODE      = L_CR0.bit ("HYPMODE",       30);
  public static final Field CR0_VMID16EN     = L_CR0.bit ("VMID16EN",      31);

  public static final Field CR2_BPVMID       = L_CR2.bits("BPVMID",        15,  0);

  public static final Field IDR0_NUMSMRG     = L_IDR0.bits("NUMSMRG",       7,  0);
  public static final Field IDR0_EXIDS       = L_IDR0.bit ("EXIDS",         8);
  public static final Field IDR0_NUMSIDB     = L_IDR0.bits("NUMSIDB",      12,  9);
  public static final Field IDR0_BTM         = L_IDR0.bit ("BTM",          13);
  public static final Field IDR0_CTTW        = L_IDR0.bit ("CTTW",         14);
  public static final Field IDR0_EXSMRGS     = L_IDR0.bit ("EXSMRGS",      15);
  public static final Field IDR0_NUMIRPT     = L_IDR0.bits("NUMIRPT",      23, 16);
  public static final Field IDR0_PTFS        = L_IDR0.bits("PTFS",         25, 24,
      ValueNames.of(0, "AArch32 short and long", 1, "AArch32 long", 2, "no AArch32"));
  public static final Field IDR0_ATOSNS      = L_IDR0.bit ("ATOSNS",       26);
  public static final Field IDR0_SMS         = L_IDR0.bit ("SMS",          27);
  public static final Field IDR0_NTS         = L_IDR0.bit ("NTS",          28);
  public static final Field IDR0_S2TS        = L_IDR0.bit ("S2TS",         29);
  public static final Field IDR0_S1TS        = L_IDR0.bit ("S1TS",         30);
  public static final Field IDR0_SES         = L_IDR0.bit ("SES",          31);

  public static final Field IDR1_NUMCB       = L_IDR1.bits("NUMCB",         7,  0);
  public static final Field IDR1_NUMSSDNDXB  = L_IDR1.bits("NUMSSDNDXB",   11,  8);
  public static final Field IDR1_SSDTP       = L_IDR1.bits("SSDTP",        13, 12);
  public static final Field IDR1_SMCD        = L_IDR1.bit ("SMCD",         15);
  public static final Field IDR1_NUMS2CB     = L_IDR1.bits("NUMS2CB",      23, 16);
  public static final Field IDR1_HAFDBS      = L_IDR1.bits("HAFDBS",       25, 24);
  public static final Field IDR1_NUMPAGENDXB = L_IDR1.bits("NUMPAGENDXB",  30, 28);
  public static final Field IDR1_PAGESIZE    = L_IDR1.bit ("PAGESIZE",     31, ValueNames.of(0, "4 KiB", 1, "64 KiB"));

  public static final Field IDR2_IAS         = L_IDR2.bits("IAS",           3,  0, WIDTHS);
  public static final Field IDR2_OAS         = L_IDR2.bits("OAS",           7,  4, WIDTHS);
  public static final Field IDR2_UBS         = L_IDR2.bits("UBS",          11,  8,
      ValueNames.of(0, "32 bits", 1, "36 bits", 2, "40 bits", 3, "42 bits", 4, "44 bits", 5, "49 bits", 15, "64 bits"));
  public static final Field IDR2_PTFSV8_4KB  = L_IDR2.bit ("PTFSv8_4kB",   12);
  public static final Field IDR2_PTFSV8_16KB = L_IDR2.bit ("PTFSv8_16kB",  13);
  public static final Field IDR2_PTFSV8_64KB = L_IDR2.bit ("PTFSv8_64kB",  14);
  public static final Field IDR2_VMID16S     = L_IDR2.bit ("VMID16S",      15);
  public static final Field IDR2_EXNUMSMRG   = L_IDR2.bits("EXNUMSMRG",    26, 16);
  public static final Field IDR2_E2HS        = L_IDR2.bit ("E2HS",         27);
  public static final Field IDR2_HADS        = L_IDR2.bit ("HADS",         28);
  public static final Field IDR2_COMPINDEXS  = L_IDR2.bit ("COMPINDEXS",   29);
  public static final Field IDR2_DIPANS      = L_IDR2.bit ("DIPANS",       30);

  public static final Field IDR7_MINOR       = L_IDR7.bits("MINOR",         3,  0);
  public static final Field IDR7_MAJOR       = L_IDR7.bits("MAJOR",         7,  4);

  public static final Field GFSR_ICF         = L_GFSR.bit ("ICF",           0);
  public static final Field GFSR_USF         = L_GFSR.bit ("USF",           1);
  public static final Field GFSR_SMCF        = L_GFSR.bit ("SMCF",          2);
  public static final Field GFSR_UCBF        = L_GFSR.bit ("UCBF",          3);
  public static final Field GFSR_UCIF        = L_GFSR.bit ("UCIF",          4);
  public static final Field GFSR_CAF         = L_GFSR.bit ("CAF",           5);
  public static final Field GFSR_EF          = L_GFSR.bit ("EF",            6);
  public static final Field GFSR_PF          = L_GFSR.bit ("PF",            7);
  public static final Field GFSR_UUT         = L_GFSR.bit ("UUT",           8);
  public static final Field GFSR_MULTI       = L_GFSR.bit ("MULTI",        31);

  public static final Field GFSYNR0_NESTED   = L_GFSYNR0.bit("Nested",      0);
  public static final Field GFSYNR0_WNR      = L_GFSYNR0.bit("WNR",         1);
  public static final Field GFSYNR0_PNU      = L_GFSYNR0.bit("PNU",         2);
  public static final Field GFSYNR0_IND      = L_GFSYNR0.bit("IND",         3);
  public static final Field GFSYNR0_NSSTATE  = L_GFSYNR0.bit("NSSTATE",     4);
  public static final Field GFSYNR0_NSATTR   = L_GFSYNR0.bit("NSATTR",      5);
  public static final Field GFSYNR0_ATS      = L_GFSYNR0.bit("ATS",         6);

  public static final Field GFSYNR1_STREAM_ID = L_GFSYNR1.bits("StreamID", 15,  0);
  public static final Field GFSYNR1_SSD_INDEX = L_GFSYNR1.bits("SSD_Index", 31, 16);

  public static final Field TLBIVMID_VMID    = L_TLBIVMID.bits("VMID",     15,  0);
  public static final Field TLBGSTATUS_GSACTIVE = L_TLBGSTATUS.bit("GSACTIVE", 0);

  public static final Field SMR_ID           = L_SMR.bits("ID",            14,  0);
  public static final Field SMR_MASK         = L_SMR.bits("MASK",          30, 16);
  public static final Field SMR_VALID        = L_SMR.bit ("VALID",         31);
  public static final Field EXSMR_ID         = L_EXSMR.bits("ID",          15,  0);
  public static final Field EXSMR_MASK       = L_EXSMR.bits("MASK",        31, 16);

  public static final Field S2CR_CBNDX       = L_S2CR.bits("CBNDX",         7,  0);
  public static final Field S2CR_SHCFG       = L_S2CR.bits("SHCFG",         9,  8);
  public static final Field S2CR_EXIDVALID   = L_S2CR.bit ("EXIDVALID",    10);
  public static final Field S2CR_MTCFG       = L_S2CR.bit ("MTCFG",        11);
  public static final Field S2CR_MEM_ATTR    = L_S2CR.bits("MemAttr",      15, 12);
  public static final Field S2CR_TYPE        = L_S2CR.bits("TYPE",         17, 16, TYPES);
  public static final Field S2CR_NSCFG       = L_S2CR.bits("NSCFG",        19, 18);
  public static final Field S2CR_RACFG       = L_S2CR.bits("RACFG",        21, 20);
  public static final Field S2CR_WACFG       = L_S2CR.bits("WACFG",        23, 22);
  public static final Field S2CR_PRIVCFG     = L_S2CR.bits("PRIVCFG",      25, 24,
      ValueNames.of(0, "as sent", 1, "data unprivileged, instructions as sent", 2, "unprivileged", 3, "privileged"));
  public static final Field S2CR_INSTCFG     = L_S2CR.bits("INSTCFG",      27, 26);
  public static final Field S2CR_TRANSIENTCFG = L_S2CR.bits("TRANSIENTCFG", 29, 28);
  // spotless:on

  static {
    L_CR0.res0(29, 28).seal();
    L_CR2.res0(31, 16).seal();
    L_ACR.impdef(31, 0).seal();
    L_IDR0.seal();
    L_IDR1.res0(14, 14).res0(27, 26).seal();
    L_IDR2.res0(31, 31).seal();
    L_IDR7.res0(31, 8).seal();
    L_GFSR.res0(30, 9).seal();
    L_GFSYNR0.res0(31, 7).seal();
    L_GFSYNR1.seal();
    L_TLBI_ANY.ignored(31, 0).seal();
    L_TLBIVMID.res0(31, 16).seal();
    L_TLBGSTATUS.res0(31, 1).seal();
    L_SMR.res0(15, 15).seal();
    L_EXSMR.seal();
    L_S2CR.res0(31, 30).seal();
  }

  public static final Field GFAR_FADDR = L_GFAR.bits("FADDR", 63, 0);

  static {
    L_GFAR.seal();
  }

  private static final Access RO = Access.RO;
  private static final Access RW = Access.RW;
  private static final Access WO = Access.WO;
  private static final Access FAULTS = Access.W1C;
  private static final RegisterMap.Builder M = RegisterMap.named("SMMUv2 GR0", BYTES);

  // spotless:off
  public static final Register CR0         = M.register("SMMU_sCR0",        0x000, Access.rw(0x8fff_ffffL), L_CR0, 1);
  public static final Register CR2         = M.register("SMMU_sCR2",        0x008, Access.rw(0xffff), L_CR2);
  public static final Register ACR         = M.register("SMMU_sACR",        0x010, RW, L_ACR);
  public static final Register IDR0        = M.register("SMMU_IDR0",        0x020, RO, L_IDR0);
  public static final Register IDR1        = M.register("SMMU_IDR1",        0x024, RO, L_IDR1);
  public static final Register IDR2        = M.register("SMMU_IDR2",        0x028, RO, L_IDR2);
  public static final Register IDR7        = M.register("SMMU_IDR7",        0x03c, RO, L_IDR7);
  public static final Register GFAR        = M.register("SMMU_sGFAR",       0x040, RW, L_GFAR);
  public static final Register GFSR        = M.register("SMMU_sGFSR",       0x048, FAULTS, L_GFSR);
  /// Sets bits of SMMU_sGFSR.
  public static final Register GFSRRESTORE = M.register("SMMU_sGFSRRESTORE", 0x04c, WO, L_GFSR);
  public static final Register GFSYNR0     = M.register("SMMU_sGFSYNR0",    0x050, RW, L_GFSYNR0);
  public static final Register GFSYNR1     = M.register("SMMU_sGFSYNR1",    0x054, RW, L_GFSYNR1);
  public static final Register TLBIVMID    = M.register("SMMU_TLBIVMID",    0x064, WO, L_TLBIVMID);
  public static final Register TLBIALLNSNH = M.register("SMMU_TLBIALLNSNH", 0x068, WO, L_TLBI_ANY);
  public static final Register TLBIALLH    = M.register("SMMU_TLBIALLH",    0x06c, WO, L_TLBI_ANY);
  public static final Register TLBGSYNC    = M.register("SMMU_sTLBGSYNC",   0x070, WO, L_TLBI_ANY);
  public static final Register TLBGSTATUS  = M.register("SMMU_sTLBGSTATUS", 0x074, RO, L_TLBGSTATUS);
  public static final Register TLBIVMIDS1  = M.register("SMMU_TLBIVMIDS1",  0x0b8, WO, L_TLBIVMID);
  public static final Register SMR         = M.array   ("SMMU_SMR",         0x800, MOST_STREAMS, RW, L_SMR);
  public static final Register S2CR        = M.array   ("SMMU_S2CR",        0xc00, MOST_STREAMS, Access.rw(0x3fff_ffff), L_S2CR);
  // spotless:on

  /// The page.
  public static final RegisterMap MAP = M.seal();

  /// SMMU_S2CRn.TYPE.
  public static final int TYPE_TRANSLATION = 0;

  public static final int TYPE_BYPASS = 1;
  public static final int TYPE_FAULT = 2;

  private Gr0Registers() {}
}
