package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The Non-secure programming interface of an SMMUv3: page 0 at offset 0, page 1 at 0x10000.
///
/// Registers of optional features that Doorbell does not know (ATOS, VATOS, MPAM, ECMDQ, DPT) are gaps, which read as
/// zero and ignore writes as the manual asks of absent features.
///
/// **Source** IHI 0070 F.b, 6.2 and 6.3. Physical addresses reach bit 51.
public final class SmmuRegisters {
  private static final Layout L_IDR0 = Layout.lsb0("SMMU_IDR0", 4);
  private static final Layout L_IDR1 = Layout.lsb0("SMMU_IDR1", 4);
  private static final Layout L_IDR2 = Layout.lsb0("SMMU_IDR2", 4);
  private static final Layout L_IDR3 = Layout.lsb0("SMMU_IDR3", 4);
  private static final Layout L_IDR4 = Layout.lsb0("SMMU_IDR4", 4);
  private static final Layout L_IDR5 = Layout.lsb0("SMMU_IDR5", 4);
  private static final Layout L_IIDR = Layout.lsb0("SMMU_IIDR", 4);
  private static final Layout L_AIDR = Layout.lsb0("SMMU_AIDR", 4);
  private static final Layout L_CR0 = Layout.lsb0("SMMU_CR0", 4);
  private static final Layout L_CR1 = Layout.lsb0("SMMU_CR1", 4);
  private static final Layout L_CR2 = Layout.lsb0("SMMU_CR2", 4);
  private static final Layout L_STATUSR = Layout.lsb0("SMMU_STATUSR", 4);
  private static final Layout L_GBPA = Layout.lsb0("SMMU_GBPA", 4);
  private static final Layout L_AGBPA = Layout.lsb0("SMMU_AGBPA", 4);
  private static final Layout L_IRQ_CTRL = Layout.lsb0("SMMU_IRQ_CTRL", 4);
  private static final Layout L_GERROR = Layout.lsb0("SMMU_GERROR", 4);
  private static final Layout L_IRQ_CFG0 = Layout.lsb0("SMMU_IRQ_CFG0", 8);
  private static final Layout L_IRQ_CFG1 = Layout.lsb0("SMMU_IRQ_CFG1", 4);
  private static final Layout L_IRQ_CFG2 = Layout.lsb0("SMMU_IRQ_CFG2", 4);
  private static final Layout L_PRIQ_IRQ_CFG2 = Layout.lsb0("SMMU_PRIQ_IRQ_CFG2", 4);
  private static final Layout L_STRTAB_BASE = Layout.lsb0("SMMU_STRTAB_BASE", 8);
  private static final Layout L_STRTAB_BASE_CFG = Layout.lsb0("SMMU_STRTAB_BASE_CFG", 4);
  private static final Layout L_CMDQ_BASE = Layout.lsb0("SMMU_CMDQ_BASE", 8);
  private static final Layout L_CMDQ_PROD = Layout.lsb0("SMMU_CMDQ_PROD", 4);
  private static final Layout L_CMDQ_CONS = Layout.lsb0("SMMU_CMDQ_CONS", 4);
  private static final Layout L_OUTQ_BASE = Layout.lsb0("SMMU_EVENTQ_BASE, SMMU_PRIQ_BASE", 8);
  private static final Layout L_OUTQ_PROD = Layout.lsb0("SMMU_EVENTQ_PROD, SMMU_PRIQ_PROD", 4);
  private static final Layout L_OUTQ_CONS = Layout.lsb0("SMMU_EVENTQ_CONS, SMMU_PRIQ_CONS", 4);
  private static final Layout L_IMPDEF = Layout.lsb0("SMMU_IMPDEF_IDREG", 4);

  // spotless:off
  public static final Field IDR0_S2P            = L_IDR0.bit ("S2P",             0);
  public static final Field IDR0_S1P            = L_IDR0.bit ("S1P",             1);
  public static final Field IDR0_TTF            = L_IDR0.bits("TTF",             3,  2,
      ValueNames.of(1, "AArch32", 2, "AArch64", 3, "AArch32 and AArch64"));
  public static final Field IDR0_COHACC         = L_IDR0.bit ("COHACC",          4);
  public static final Field IDR0_BTM            = L_IDR0.bit ("BTM",             5);
  public static final Field IDR0_HTTU           = L_IDR0.bits("HTTU",            7,  6,
      ValueNames.of(0, "none", 1, "access flag", 2, "access flag and dirty state"));
  public static final Field IDR0_DORMHINT       = L_IDR0.bit ("DORMHINT",        8);
  public static final Field IDR0_HYP            = L_IDR0.bit ("Hyp",             9);
  public static final Field IDR0_ATS            = L_IDR0.bit ("ATS",            10);
  public static final Field IDR0_NS1ATS         = L_IDR0.bit ("NS1ATS",         11);
  public static final Field IDR0_ASID16         = L_IDR0.bit ("ASID16",         12);
  public static final Field IDR0_MSI            = L_IDR0.bit ("MSI",            13);
  public static final Field IDR0_SEV            = L_IDR0.bit ("SEV",            14);
  public static final Field IDR0_ATOS           = L_IDR0.bit ("ATOS",           15);
  public static final Field IDR0_PRI            = L_IDR0.bit ("PRI",            16);
  public static final Field IDR0_VMW            = L_IDR0.bit ("VMW",            17);
  public static final Field IDR0_VMID16         = L_IDR0.bit ("VMID16",         18);
  public static final Field IDR0_CD2L           = L_IDR0.bit ("CD2L",           19);
  public static final Field IDR0_VATOS          = L_IDR0.bit ("VATOS",          20);
  public static final Field IDR0_TTENDIAN       = L_IDR0.bits("TTENDIAN",       22, 21,
      ValueNames.of(0, "mixed", 2, "little-endian", 3, "big-endian"));
  public static final Field IDR0_ATSRECERR      = L_IDR0.bit ("ATSRECERR",      23);
  public static final Field IDR0_STALL_MODEL    = L_IDR0.bits("STALL_MODEL",    25, 24,
      ValueNames.of(0, "stall and terminate", 1, "terminate", 2, "stall forced"));
  public static final Field IDR0_TERM_MODEL     = L_IDR0.bit ("TERM_MODEL",     26);
  public static final Field IDR0_ST_LEVEL       = L_IDR0.bits("ST_LEVEL",       28, 27,
      ValueNames.of(0, "linear", 1, "linear and two-level"));
  public static final Field IDR0_RME_IMPL       = L_IDR0.bit ("RME_IMPL",       30);

  public static final Field IDR1_SIDSIZE        = L_IDR1.bits("SIDSIZE",         5,  0);
  public static final Field IDR1_SSIDSIZE       = L_IDR1.bits("SSIDSIZE",       10,  6);
  public static final Field IDR1_PRIQS          = L_IDR1.bits("PRIQS",          15, 11);
  public static final Field IDR1_EVENTQS        = L_IDR1.bits("EVENTQS",        20, 16);
  public static final Field IDR1_CMDQS          = L_IDR1.bits("CMDQS",          25, 21);
  public static final Field IDR1_ATTR_PERMS_OVR = L_IDR1.bit ("ATTR_PERMS_OVR", 26);
  public static final Field IDR1_ATTR_TYPES_OVR = L_IDR1.bit ("ATTR_TYPES_OVR", 27);
  public static final Field IDR1_REL            = L_IDR1.bit ("REL",            28);
  public static final Field IDR1_QUEUES_PRESET  = L_IDR1.bit ("QUEUES_PRESET",  29);
  public static final Field IDR1_TABLES_PRESET  = L_IDR1.bit ("TABLES_PRESET",  30);
  public static final Field IDR1_ECMDQ          = L_IDR1.bit ("ECMDQ",          31);

  public static final Field IDR2_BA_VATOS       = L_IDR2.bits("BA_VATOS",        9,  0);

  public static final Field IDR3_HAD            = L_IDR3.bit ("HAD",             2);
  public static final Field IDR3_PBHA           = L_IDR3.bit ("PBHA",            3);
  public static final Field IDR3_XNX            = L_IDR3.bit ("XNX",             4);
  public static final Field IDR3_PPS            = L_IDR3.bit ("PPS",             5);
  public static final Field IDR3_MPAM           = L_IDR3.bit ("MPAM",            7);
  public static final Field IDR3_FWB            = L_IDR3.bit ("FWB",             8);
  public static final Field IDR3_STT            = L_IDR3.bit ("STT",             9);
  public static final Field IDR3_RIL            = L_IDR3.bit ("RIL",            10);
  public static final Field IDR3_BBML           = L_IDR3.bits("BBML",           12, 11);
  public static final Field IDR3_E0PD           = L_IDR3.bit ("E0PD",           13);
  public static final Field IDR3_PTWNNC         = L_IDR3.bit ("PTWNNC",         14);
  public static final Field IDR3_DPT            = L_IDR3.bit ("DPT",            15);

  public static final Field IDR5_OAS            = L_IDR5.bits("OAS",             2,  0,
      ValueNames.of(0, "32 bits", 1, "36 bits", 2, "40 bits", 3, "42 bits", 4, "44 bits", 5, "48 bits", 6, "52 bits"));
  public static final Field IDR5_GRAN4K         = L_IDR5.bit ("GRAN4K",          4);
  public static final Field IDR5_GRAN16K        = L_IDR5.bit ("GRAN16K",         5);
  public static final Field IDR5_GRAN64K        = L_IDR5.bit ("GRAN64K",         6);
  public static final Field IDR5_VAX            = L_IDR5.bits("VAX",            11, 10,
      ValueNames.of(0, "48 bits", 1, "52 bits"));
  public static final Field IDR5_STALL_MAX      = L_IDR5.bits("STALL_MAX",      31, 16);

  public static final Field IIDR_IMPLEMENTER    = L_IIDR.bits("Implementer",    11,  0);
  public static final Field IIDR_REVISION       = L_IIDR.bits("Revision",       15, 12);
  public static final Field IIDR_VARIANT        = L_IIDR.bits("Variant",        19, 16);
  public static final Field IIDR_PRODUCT_ID     = L_IIDR.bits("ProductID",      31, 20);
  public static final Field AIDR_ARCH_MINOR_REV = L_AIDR.bits("ArchMinorRev",    3,  0);
  public static final Field AIDR_ARCH_MAJOR_REV = L_AIDR.bits("ArchMajorRev",    7,  4);

  public static final Field CR0_SMMUEN          = L_CR0.bit  ("SMMUEN",          0);
  public static final Field CR0_PRIQEN          = L_CR0.bit  ("PRIQEN",          1);
  public static final Field CR0_EVENTQEN        = L_CR0.bit  ("EVENTQEN",        2);
  public static final Field CR0_CMDQEN          = L_CR0.bit  ("CMDQEN",          3);
  public static final Field CR0_ATSCHK          = L_CR0.bit  ("ATSCHK",          4);
  public static final Field CR0_VMW             = L_CR0.bits ("VMW",             8,  6);

  public static final Field CR1_QUEUE_IC        = L_CR1.bits ("QUEUE_IC",        1,  0);
  public static final Field CR1_QUEUE_OC        = L_CR1.bits ("QUEUE_OC",        3,  2);
  public static final Field CR1_QUEUE_SH        = L_CR1.bits ("QUEUE_SH",        5,  4);
  public static final Field CR1_TABLE_IC        = L_CR1.bits ("TABLE_IC",        7,  6);
  public static final Field CR1_TABLE_OC        = L_CR1.bits ("TABLE_OC",        9,  8);
  public static final Field CR1_TABLE_SH        = L_CR1.bits ("TABLE_SH",       11, 10);

  public static final Field CR2_E2H             = L_CR2.bit  ("E2H",             0);
  public static final Field CR2_RECINVSID       = L_CR2.bit  ("RECINVSID",       1);
  public static final Field CR2_PTM             = L_CR2.bit  ("PTM",             2);
  public static final Field CR2_REC_CFG_ATS     = L_CR2.bit  ("REC_CFG_ATS",     3);

  public static final Field STATUSR_DORMANT     = L_STATUSR.bit("DORMANT",       0);

  public static final Field GBPA_MEM_ATTR       = L_GBPA.bits("MemAttr",         3,  0);
  public static final Field GBPA_MTCFG          = L_GBPA.bit ("MTCFG",           4);
  public static final Field GBPA_ALLOCCFG       = L_GBPA.bits("ALLOCCFG",       11,  8);
  public static final Field GBPA_SHCFG          = L_GBPA.bits("SHCFG",          13, 12);
  public static final Field GBPA_PRIVCFG        = L_GBPA.bits("PRIVCFG",        17, 16);
  public static final Field GBPA_INSTCFG        = L_GBPA.bits("INSTCFG",        19, 18);
  public static final Field GBPA_ABORT          = L_GBPA.bit ("ABORT",          20);
  public static final Field GBPA_UPDATE         = L_GBPA.bit ("Update",         31);

  public static final Field IRQ_CTRL_GERROR_IRQEN = L_IRQ_CTRL.bit("GERROR_IRQEN", 0);
  public static final Field IRQ_CTRL_PRIQ_IRQEN   = L_IRQ_CTRL.bit("PRIQ_IRQEN",   1);
  public static final Field IRQ_CTRL_EVENTQ_IRQEN = L_IRQ_CTRL.bit("EVENTQ_IRQEN", 2);

  public static final Field GERROR_CMDQ_ERR           = L_GERROR.bit("CMDQ_ERR",           0);
  public static final Field GERROR_EVENTQ_ABT_ERR     = L_GERROR.bit("EVENTQ_ABT_ERR",     2);
  public static final Field GERROR_PRIQ_ABT_ERR       = L_GERROR.bit("PRIQ_ABT_ERR",       3);
  public static final Field GERROR_MSI_CMDQ_ABT_ERR   = L_GERROR.bit("MSI_CMDQ_ABT_ERR",   4);
  public static final Field GERROR_MSI_EVENTQ_ABT_ERR = L_GERROR.bit("MSI_EVENTQ_ABT_ERR", 5);
  public static final Field GERROR_MSI_PRIQ_ABT_ERR   = L_GERROR.bit("MSI_PRIQ_ABT_ERR",   6);
  public static final Field GERROR_MSI_GERROR_ABT_ERR = L_GERROR.bit("MSI_GERROR_ABT_ERR", 7);
  public static final Field GERROR_SFM_ERR            = L_GERROR.bit("SFM_ERR",            8);

  public static final Field IRQ_CFG0_ADDR       = L_IRQ_CFG0.address("ADDR",    51,  2);
  public static final Field IRQ_CFG1_DATA       = L_IRQ_CFG1.bits   ("DATA",    31,  0);
  public static final Field IRQ_CFG2_MEM_ATTR   = L_IRQ_CFG2.bits   ("MemAttr",  3,  0);
  public static final Field IRQ_CFG2_SH         = L_IRQ_CFG2.bits   ("SH",       5,  4);
  public static final Field PRIQ_IRQ_CFG2_MEM_ATTR = L_PRIQ_IRQ_CFG2.bits("MemAttr", 3, 0);
  public static final Field PRIQ_IRQ_CFG2_SH    = L_PRIQ_IRQ_CFG2.bits("SH",     5,  4);
  public static final Field PRIQ_IRQ_CFG2_LO    = L_PRIQ_IRQ_CFG2.bit ("LO",    31);

  public static final Field STRTAB_BASE_ADDR         = L_STRTAB_BASE.address ("ADDR",     51,  6);
  public static final Field STRTAB_BASE_RA           = L_STRTAB_BASE.bit     ("RA",       62);
  public static final Field STRTAB_BASE_CFG_LOG2SIZE = L_STRTAB_BASE_CFG.bits("LOG2SIZE",  5,  0);
  public static final Field STRTAB_BASE_CFG_SPLIT    = L_STRTAB_BASE_CFG.bits("SPLIT",    10,  6);
  public static final Field STRTAB_BASE_CFG_FMT      = L_STRTAB_BASE_CFG.bits("FMT",      17, 16,
      ValueNames.of(0, "linear", 1, "two-level"));

  public static final Field CMDQ_BASE_LOG2SIZE  = L_CMDQ_BASE.bits   ("LOG2SIZE",  4,  0);
  public static final Field CMDQ_BASE_ADDR      = L_CMDQ_BASE.address("ADDR",     51,  5);
  public static final Field CMDQ_BASE_RA        = L_CMDQ_BASE.bit    ("RA",       62);
  public static final Field CMDQ_PROD_WR        = L_CMDQ_PROD.bits   ("WR",       19,  0);
  public static final Field CMDQ_CONS_RD        = L_CMDQ_CONS.bits   ("RD",       19,  0);
  public static final Field CMDQ_CONS_ERR       = L_CMDQ_CONS.bits   ("ERR",      30, 24,
      ValueNames.of(0, "CERROR_NONE", 1, "CERROR_ILL", 2, "CERROR_ABT", 3, "CERROR_ATC_INV_SYNC"));

  /// The event queue's and the PRI queue's registers have equal layouts.
  public static final Field OUTQ_BASE_LOG2SIZE  = L_OUTQ_BASE.bits   ("LOG2SIZE",  4,  0);
  public static final Field OUTQ_BASE_ADDR      = L_OUTQ_BASE.address("ADDR",     51,  5);
  public static final Field OUTQ_BASE_WA        = L_OUTQ_BASE.bit    ("WA",       62);
  public static final Field OUTQ_PROD_WR        = L_OUTQ_PROD.bits   ("WR",       19,  0);
  public static final Field OUTQ_PROD_OVFLG     = L_OUTQ_PROD.bit    ("OVFLG",    31);
  public static final Field OUTQ_CONS_RD        = L_OUTQ_CONS.bits   ("RD",       19,  0);
  public static final Field OUTQ_CONS_OVACKFLG  = L_OUTQ_CONS.bit    ("OVACKFLG", 31);
  // spotless:on

  static {
    L_IDR0.res0(29, 29).res0(31, 31).seal();
    L_IDR1.seal();
    L_IDR2.res0(31, 10).seal();
    L_IDR3.res0(1, 0).res0(6, 6).res0(31, 16).seal();
    L_IDR4.impdef(31, 0).seal();
    L_IDR5.res0(3, 3).res0(9, 7).res0(15, 12).seal();
    L_IIDR.seal();
    L_AIDR.res0(31, 8).seal();
    L_CR0.res0(5, 5).res0(31, 9).seal();
    L_CR1.res0(31, 12).seal();
    L_CR2.res0(31, 4).seal();
    L_STATUSR.res0(31, 1).seal();
    L_GBPA.res0(7, 5).res0(15, 14).res0(30, 21).seal();
    L_AGBPA.impdef(31, 0).seal();
    L_IRQ_CTRL.res0(31, 3).seal();
    L_GERROR.res0(1, 1).res0(31, 9).seal();
    L_IRQ_CFG0.res0(1, 0).res0(63, 52).seal();
    L_IRQ_CFG1.seal();
    L_IRQ_CFG2.res0(31, 6).seal();
    L_PRIQ_IRQ_CFG2.res0(30, 6).seal();
    L_STRTAB_BASE.res0(5, 0).res0(61, 52).res0(63, 63).seal();
    L_STRTAB_BASE_CFG.res0(15, 11).res0(31, 18).seal();
    L_CMDQ_BASE.res0(61, 52).res0(63, 63).seal();
    L_CMDQ_PROD.res0(31, 20).seal();
    L_CMDQ_CONS.res0(23, 20).res0(31, 31).seal();
    L_OUTQ_BASE.res0(61, 52).res0(63, 63).seal();
    L_OUTQ_PROD.res0(30, 20).seal();
    L_OUTQ_CONS.res0(30, 20).seal();
    L_IMPDEF.impdef(31, 0).seal();
  }

  private static final Access RO = Access.RO;
  private static final Access QUEUE_INDEX = Access.rw(OUTQ_PROD_WR.mask() | OUTQ_PROD_OVFLG.mask());
  private static final Access BASE =
      Access.rw(CMDQ_BASE_LOG2SIZE.mask() | CMDQ_BASE_ADDR.mask() | CMDQ_BASE_RA.mask());
  private static final Access CFG0 = Access.rw(IRQ_CFG0_ADDR.mask());
  private static final Access CFG2 = Access.rw(IRQ_CFG2_MEM_ATTR.mask() | IRQ_CFG2_SH.mask());
  private static final Access ERRORS =
      Access.rw(
          GERROR_CMDQ_ERR.mask()
              | GERROR_EVENTQ_ABT_ERR.mask()
              | GERROR_PRIQ_ABT_ERR.mask()
              | GERROR_MSI_CMDQ_ABT_ERR.mask()
              | GERROR_MSI_EVENTQ_ABT_ERR.mask()
              | GERROR_MSI_PRIQ_ABT_ERR.mask()
              | GERROR_MSI_GERROR_ABT_ERR.mask()
              | GERROR_SFM_ERR.mask());
  private static final RegisterMap.Builder M = RegisterMap.named("SMMUv3", 0x20000);

  // spotless:off
  public static final Register IDR0            = M.register("SMMU_IDR0",            0x000, RO, L_IDR0);
  public static final Register IDR1            = M.register("SMMU_IDR1",            0x004, RO, L_IDR1);
  public static final Register IDR2            = M.register("SMMU_IDR2",            0x008, RO, L_IDR2);
  public static final Register IDR3            = M.register("SMMU_IDR3",            0x00c, RO, L_IDR3);
  public static final Register IDR4            = M.register("SMMU_IDR4",            0x010, RO, L_IDR4);
  public static final Register IDR5            = M.register("SMMU_IDR5",            0x014, RO, L_IDR5);
  public static final Register IIDR            = M.register("SMMU_IIDR",            0x018, RO, L_IIDR);
  public static final Register AIDR            = M.register("SMMU_AIDR",            0x01c, RO, L_AIDR);
  public static final Register CR0             = M.register("SMMU_CR0",             0x020,
      Access.rw(CR0_SMMUEN.mask() | CR0_PRIQEN.mask() | CR0_EVENTQEN.mask() | CR0_CMDQEN.mask() | CR0_ATSCHK.mask() | CR0_VMW.mask()), L_CR0);
  public static final Register CR0ACK          = M.register("SMMU_CR0ACK",          0x024, RO, L_CR0);
  public static final Register CR1             = M.register("SMMU_CR1",             0x028, Access.rw(0xfff), L_CR1);
  public static final Register CR2             = M.register("SMMU_CR2",             0x02c, Access.rw(0xf), L_CR2);
  public static final Register STATUSR         = M.register("SMMU_STATUSR",         0x040, RO, L_STATUSR);
  public static final Register GBPA            = M.register("SMMU_GBPA",            0x044,
      Access.rw(GBPA_MEM_ATTR.mask() | GBPA_MTCFG.mask() | GBPA_ALLOCCFG.mask() | GBPA_SHCFG.mask() | GBPA_PRIVCFG.mask()
          | GBPA_INSTCFG.mask() | GBPA_ABORT.mask() | GBPA_UPDATE.mask()), L_GBPA);
  public static final Register AGBPA           = M.register("SMMU_AGBPA",           0x048, RO, L_AGBPA);
  public static final Register IRQ_CTRL        = M.register("SMMU_IRQ_CTRL",        0x050,
      Access.rw(IRQ_CTRL_GERROR_IRQEN.mask() | IRQ_CTRL_PRIQ_IRQEN.mask() | IRQ_CTRL_EVENTQ_IRQEN.mask()), L_IRQ_CTRL);
  public static final Register IRQ_CTRLACK     = M.register("SMMU_IRQ_CTRLACK",     0x054, RO, L_IRQ_CTRL);
  public static final Register GERROR          = M.register("SMMU_GERROR",          0x060, RO, L_GERROR);
  public static final Register GERRORN         = M.register("SMMU_GERRORN",         0x064, ERRORS, L_GERROR);
  public static final Register GERROR_IRQ_CFG0 = M.register("SMMU_GERROR_IRQ_CFG0", 0x068, CFG0, L_IRQ_CFG0);
  public static final Register GERROR_IRQ_CFG1 = M.register("SMMU_GERROR_IRQ_CFG1", 0x070, Access.RW, L_IRQ_CFG1);
  public static final Register GERROR_IRQ_CFG2 = M.register("SMMU_GERROR_IRQ_CFG2", 0x074, CFG2, L_IRQ_CFG2);
  public static final Register STRTAB_BASE     = M.register("SMMU_STRTAB_BASE",     0x080,
      Access.rw(STRTAB_BASE_ADDR.mask() | STRTAB_BASE_RA.mask()), L_STRTAB_BASE);
  public static final Register STRTAB_BASE_CFG = M.register("SMMU_STRTAB_BASE_CFG", 0x088,
      Access.rw(STRTAB_BASE_CFG_LOG2SIZE.mask() | STRTAB_BASE_CFG_SPLIT.mask() | STRTAB_BASE_CFG_FMT.mask()), L_STRTAB_BASE_CFG);
  public static final Register CMDQ_BASE       = M.register("SMMU_CMDQ_BASE",       0x090, BASE, L_CMDQ_BASE);
  public static final Register CMDQ_PROD       = M.register("SMMU_CMDQ_PROD",       0x098, Access.rw(CMDQ_PROD_WR.mask()), L_CMDQ_PROD);
  public static final Register CMDQ_CONS       = M.register("SMMU_CMDQ_CONS",       0x09c,
      Access.rw(CMDQ_CONS_RD.mask() | CMDQ_CONS_ERR.mask()), L_CMDQ_CONS);
  public static final Register EVENTQ_BASE     = M.register("SMMU_EVENTQ_BASE",     0x0a0, BASE, L_OUTQ_BASE);
  public static final Register EVENTQ_IRQ_CFG0 = M.register("SMMU_EVENTQ_IRQ_CFG0", 0x0b0, CFG0, L_IRQ_CFG0);
  public static final Register EVENTQ_IRQ_CFG1 = M.register("SMMU_EVENTQ_IRQ_CFG1", 0x0b8, Access.RW, L_IRQ_CFG1);
  public static final Register EVENTQ_IRQ_CFG2 = M.register("SMMU_EVENTQ_IRQ_CFG2", 0x0bc, CFG2, L_IRQ_CFG2);
  public static final Register PRIQ_BASE       = M.register("SMMU_PRIQ_BASE",       0x0c0, BASE, L_OUTQ_BASE);
  public static final Register PRIQ_IRQ_CFG0   = M.register("SMMU_PRIQ_IRQ_CFG0",   0x0d0, CFG0, L_IRQ_CFG0);
  public static final Register PRIQ_IRQ_CFG1   = M.register("SMMU_PRIQ_IRQ_CFG1",   0x0d8, Access.RW, L_IRQ_CFG1);
  public static final Register PRIQ_IRQ_CFG2   = M.register("SMMU_PRIQ_IRQ_CFG2",   0x0dc,
      Access.rw(PRIQ_IRQ_CFG2_MEM_ATTR.mask() | PRIQ_IRQ_CFG2_SH.mask() | PRIQ_IRQ_CFG2_LO.mask()), L_PRIQ_IRQ_CFG2);
  /// Peripheral and component identification, one byte each, PIDR4 first.
  public static final Register ID_REGS         = M.array   ("SMMU_IMPDEF_IDREGS",   0xfd0, 12, RO, L_IMPDEF);
  public static final Register EVENTQ_PROD     = M.register("SMMU_EVENTQ_PROD",   0x100a8, QUEUE_INDEX, L_OUTQ_PROD);
  public static final Register EVENTQ_CONS     = M.register("SMMU_EVENTQ_CONS",   0x100ac, QUEUE_INDEX, L_OUTQ_CONS);
  public static final Register PRIQ_PROD       = M.register("SMMU_PRIQ_PROD",     0x100c8, QUEUE_INDEX, L_OUTQ_PROD);
  public static final Register PRIQ_CONS       = M.register("SMMU_PRIQ_CONS",     0x100cc, QUEUE_INDEX, L_OUTQ_CONS);
  // spotless:on

  /// The whole window: both pages, 128 KiB.
  public static final RegisterMap MAP = M.seal();

  /// SMMU_CMDQ_CONS.ERR.
  public static final int CERROR_NONE = 0;

  public static final int CERROR_ILL = 1;
  public static final int CERROR_ABT = 2;
  public static final int CERROR_ATC_INV_SYNC = 3;

  /// SMMU_STRTAB_BASE_CFG.FMT.
  public static final int FMT_LINEAR = 0;

  public static final int FMT_2LVL = 1;

  private SmmuRegisters() {}
}
