package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers of a RISC-V IOMMU.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 6 (memory-mapped register interface).
public final class RiscvIommuRegisters {
  private RiscvIommuRegisters() {}

  /// Bytes of the window.
  public static final long BYTES = 0x1000;

  /// `ddtp.iommu_mode`.
  public static final int MODE_OFF = 0;

  public static final int MODE_BARE = 1;
  public static final int MODE_1LVL = 2;
  public static final int MODE_2LVL = 3;
  public static final int MODE_3LVL = 4;

  /// `capabilities.version` of 1.0.
  public static final int VERSION_1_0 = 0x10;

  /// `capabilities.IGS`: how the IOMMU interrupts.
  public static final int IGS_MSI = 0;

  public static final int IGS_WSI = 1;
  public static final int IGS_BOTH = 2;

  /// Entries of `msi_cfg_tbl`, and bytes of each.
  public static final int VECTORS = 16;

  public static final int VECTOR_BYTES = 16;

  /// Counters of events.
  static final int COUNTERS = 31;

  private static final Layout CAP_L = Layout.lsb0("capabilities", 8);
  private static final Layout FCTL_L = Layout.lsb0("fctl", 4);
  private static final Layout DDTP_L = Layout.lsb0("ddtp", 8);
  private static final Layout BASE_L = Layout.lsb0("queue base", 8);
  private static final Layout INDEX_L = Layout.lsb0("queue index", 4);
  private static final Layout CQCSR_L = Layout.lsb0("cqcsr", 4);
  private static final Layout FQCSR_L = Layout.lsb0("fqcsr", 4);
  private static final Layout PQCSR_L = Layout.lsb0("pqcsr", 4);
  private static final Layout IPSR_L = Layout.lsb0("ipsr", 4);
  private static final Layout OVERFLOW_L = Layout.lsb0("iocountovf", 4);
  private static final Layout INHIBIT_L = Layout.lsb0("iocountinh", 4);
  private static final Layout CYCLES_L = Layout.lsb0("iohpmcycles", 8);
  private static final Layout COUNTER_L = Layout.lsb0("iohpmctr", 8);
  private static final Layout EVENT_L = Layout.lsb0("iohpmevt", 8);
  private static final Layout TR_IOVA_L = Layout.lsb0("tr_req_iova", 8);
  private static final Layout TR_CTL_L = Layout.lsb0("tr_req_ctl", 8);
  private static final Layout TR_RSP_L = Layout.lsb0("tr_response", 8);
  private static final Layout QOS_L = Layout.lsb0("iommu_qosid", 4);
  private static final Layout ICVEC_L = Layout.lsb0("icvec", 8);
  private static final Layout MSI_ADDR_L = Layout.lsb0("msi_addr", 8);
  private static final Layout MSI_DATA_L = Layout.lsb0("msi_data", 4);
  private static final Layout MSI_CTL_L = Layout.lsb0("msi_vec_ctl", 4);

  private static final ValueNames MODES =
      ValueNames.of(0, "Off", 1, "Bare", 2, "1LVL", 3, "2LVL", 4, "3LVL");

  // spotless:off
  public static final Field VERSION       = CAP_L.bits   ("version",          7,  0);
  public static final Field SV32          = CAP_L.bit    ("Sv32",             8);
  public static final Field SV39          = CAP_L.bit    ("Sv39",             9);
  public static final Field SV48          = CAP_L.bit    ("Sv48",            10);
  public static final Field SV57          = CAP_L.bit    ("Sv57",            11);
  public static final Field SVRSW60T59B   = CAP_L.bit    ("Svrsw60t59b",     14);
  public static final Field SVPBMT        = CAP_L.bit    ("Svpbmt",          15);
  public static final Field SV32X4        = CAP_L.bit    ("Sv32x4",          16);
  public static final Field SV39X4        = CAP_L.bit    ("Sv39x4",          17);
  public static final Field SV48X4        = CAP_L.bit    ("Sv48x4",          18);
  public static final Field SV57X4        = CAP_L.bit    ("Sv57x4",          19);
  public static final Field AMO_MRIF      = CAP_L.bit    ("AMO_MRIF",        21);
  public static final Field MSI_FLAT      = CAP_L.bit    ("MSI_FLAT",        22);
  public static final Field MSI_MRIF      = CAP_L.bit    ("MSI_MRIF",        23);
  public static final Field AMO_HWAD      = CAP_L.bit    ("AMO_HWAD",        24);
  public static final Field ATS           = CAP_L.bit    ("ATS",             25);
  public static final Field T2GPA         = CAP_L.bit    ("T2GPA",           26);
  public static final Field END           = CAP_L.bit    ("END",             27);
  public static final Field IGS           = CAP_L.bits   ("IGS",             29, 28);
  public static final Field HPM           = CAP_L.bit    ("HPM",             30);
  public static final Field DBG           = CAP_L.bit    ("DBG",             31);
  public static final Field PAS           = CAP_L.bits   ("PAS",             37, 32);
  public static final Field PD8           = CAP_L.bit    ("PD8",             38);
  public static final Field PD17          = CAP_L.bit    ("PD17",            39);
  public static final Field PD20          = CAP_L.bit    ("PD20",            40);
  public static final Field QOSID         = CAP_L.bit    ("QOSID",           41);
  public static final Field NL            = CAP_L.bit    ("NL",              42);
  public static final Field S             = CAP_L.bit    ("S",               43);
  public static final Layout CAP          = CAP_L.res0(13, 12).res0(20, 20).res0(55, 44).impdef(63, 56).seal();

  public static final Field FCTL_BE       = FCTL_L.bit   ("BE",               0);
  public static final Field FCTL_WSI      = FCTL_L.bit   ("WSI",              1);
  public static final Field FCTL_GXL      = FCTL_L.bit   ("GXL",              2);
  public static final Layout FCTL_WORD    = FCTL_L.res0(15, 3).impdef(31, 16).seal();

  public static final Field DDTP_MODE     = DDTP_L.bits  ("iommu_mode",       3,  0, MODES);
  public static final Field DDTP_BUSY     = DDTP_L.bit   ("busy",             4);
  public static final Field DDTP_PPN      = DDTP_L.bits  ("PPN",             53, 10);
  public static final Layout DDTP_WORD    = DDTP_L.res0(9, 5).res0(63, 54).seal();

  public static final Field LOG2SZ        = BASE_L.bits  ("LOG2SZ-1",         4,  0);
  public static final Field BASE_PPN      = BASE_L.bits  ("PPN",             53, 10);
  public static final Layout BASE         = BASE_L.res0(9, 5).res0(63, 54).seal();

  public static final Field INDEX         = INDEX_L.bits ("index",           31,  0);
  public static final Layout QUEUE_INDEX  = INDEX_L.seal();

  public static final Field CQEN          = CQCSR_L.bit  ("cqen",             0);
  public static final Field CIE           = CQCSR_L.bit  ("cie",              1);
  public static final Field CQMF          = CQCSR_L.bit  ("cqmf",             8);
  public static final Field CMD_TO        = CQCSR_L.bit  ("cmd_to",           9);
  public static final Field CMD_ILL       = CQCSR_L.bit  ("cmd_ill",         10);
  public static final Field FENCE_W_IP    = CQCSR_L.bit  ("fence_w_ip",      11);
  public static final Field CQON          = CQCSR_L.bit  ("cqon",            16);
  public static final Field CQ_BUSY       = CQCSR_L.bit  ("busy",            17);
  public static final Layout CQCSR_WORD   = CQCSR_L.res0(7, 2).res0(15, 12).res0(27, 18).impdef(31, 28).seal();

  public static final Field FQEN          = FQCSR_L.bit  ("fqen",             0);
  public static final Field FIE           = FQCSR_L.bit  ("fie",              1);
  public static final Field FQMF          = FQCSR_L.bit  ("fqmf",             8);
  public static final Field FQOF          = FQCSR_L.bit  ("fqof",             9);
  public static final Field FQON          = FQCSR_L.bit  ("fqon",            16);
  public static final Field FQ_BUSY       = FQCSR_L.bit  ("busy",            17);
  public static final Layout FQCSR_WORD   = FQCSR_L.res0(7, 2).res0(15, 10).res0(27, 18).impdef(31, 28).seal();

  public static final Field PQEN          = PQCSR_L.bit  ("pqen",             0);
  public static final Field PIE           = PQCSR_L.bit  ("pie",              1);
  public static final Field PQMF          = PQCSR_L.bit  ("pqmf",             8);
  public static final Field PQOF          = PQCSR_L.bit  ("pqof",             9);
  public static final Field PQON          = PQCSR_L.bit  ("pqon",            16);
  public static final Field PQ_BUSY       = PQCSR_L.bit  ("busy",            17);
  public static final Layout PQCSR_WORD   = PQCSR_L.res0(7, 2).res0(15, 10).res0(27, 18).impdef(31, 28).seal();

  public static final Field CIP           = IPSR_L.bit   ("cip",              0);
  public static final Field FIP           = IPSR_L.bit   ("fip",              1);
  public static final Field PMIP          = IPSR_L.bit   ("pmip",             2);
  public static final Field PIP           = IPSR_L.bit   ("pip",              3);
  public static final Layout IPSR_WORD    = IPSR_L.res0(31, 4).seal();

  public static final Field OVERFLOWS     = OVERFLOW_L.bits("CY and HPM",    31,  0);
  public static final Layout OVERFLOW     = OVERFLOW_L.seal();
  public static final Field INHIBITS      = INHIBIT_L.bits("CY and HPM",     31,  0);
  public static final Layout INHIBIT      = INHIBIT_L.seal();
  public static final Field CYCLE_COUNT   = CYCLES_L.bits("COUNTER",         62,  0);
  public static final Field CYCLE_OF      = CYCLES_L.bit ("OF",              63);
  public static final Layout CYCLES       = CYCLES_L.seal();
  public static final Field COUNT         = COUNTER_L.bits("COUNTER",        63,  0);
  public static final Layout COUNTER      = COUNTER_L.seal();
  public static final Field EVENT_ID      = EVENT_L.bits ("eventID",         14,  0);
  public static final Field EVENT_DMASK   = EVENT_L.bit  ("DMASK",           15);
  public static final Field EVENT_PID     = EVENT_L.bits ("PID_PSCID",       35, 16);
  public static final Field EVENT_DID     = EVENT_L.bits ("DID_GSCID",       59, 36);
  public static final Field EVENT_PV      = EVENT_L.bit  ("PV_PSCV",         60);
  public static final Field EVENT_DV      = EVENT_L.bit  ("DV_GSCV",         61);
  public static final Field EVENT_IDT     = EVENT_L.bit  ("IDT",             62);
  public static final Field EVENT_OF      = EVENT_L.bit  ("OF",              63);
  public static final Layout EVENT        = EVENT_L.seal();

  public static final Field TR_VPN        = TR_IOVA_L.address("vpn",         63, 12);
  public static final Layout TR_IOVA_WORD = TR_IOVA_L.res0(11, 0).seal();
  public static final Field TR_GO         = TR_CTL_L.bit ("Go/Busy",          0);
  public static final Field TR_PRIV       = TR_CTL_L.bit ("Priv",             1);
  public static final Field TR_EXE        = TR_CTL_L.bit ("Exe",              2);
  public static final Field TR_NW         = TR_CTL_L.bit ("NW",               3);
  public static final Field TR_PID        = TR_CTL_L.bits("PID",             31, 12);
  public static final Field TR_PV         = TR_CTL_L.bit ("PV",              32);
  public static final Field TR_DID        = TR_CTL_L.bits("DID",             63, 40);
  public static final Layout TR_CTL_WORD  = TR_CTL_L.res0(11, 4).res0(35, 33).impdef(39, 36).seal();
  public static final Field TR_FAULT      = TR_RSP_L.bit ("fault",            0);
  public static final Field TR_PBMT       = TR_RSP_L.bits("PBMT",             8,  7);
  public static final Field TR_S          = TR_RSP_L.bit ("S",                9);
  public static final Field TR_PPN        = TR_RSP_L.bits("PPN",             53, 10);
  public static final Layout TR_RSP_WORD  = TR_RSP_L.res0(6, 1).res0(59, 54).impdef(63, 60).seal();

  public static final Field RCID          = QOS_L.bits   ("RCID",            11,  0);
  public static final Field MCID          = QOS_L.bits   ("MCID",            27, 16);
  public static final Layout QOS          = QOS_L.res0(15, 12).res0(31, 28).seal();

  public static final Field CIV           = ICVEC_L.bits ("civ",              3,  0);
  public static final Field FIV           = ICVEC_L.bits ("fiv",              7,  4);
  public static final Field PMIV          = ICVEC_L.bits ("pmiv",            11,  8);
  public static final Field PIV           = ICVEC_L.bits ("piv",             15, 12);
  public static final Layout ICVEC_WORD   = ICVEC_L.res0(31, 16).impdef(63, 32).seal();

  public static final Field MSI_ADDR      = MSI_ADDR_L.address("ADDR",       55,  2);
  public static final Layout MSI_ADDR_WORD = MSI_ADDR_L.res0(1, 0).res0(63, 56).seal();
  public static final Field MSI_DATA      = MSI_DATA_L.bits("data",          31,  0);
  public static final Layout MSI_DATA_WORD = MSI_DATA_L.seal();
  public static final Field MSI_MASK      = MSI_CTL_L.bit("M",                0);
  public static final Layout MSI_CTL_WORD = MSI_CTL_L.res0(31, 1).seal();

  private static final Access CQ_ACCESS   = Access.rw(CQEN.mask() | CIE.mask()).andW1c(CQMF.mask() | CMD_TO.mask() | CMD_ILL.mask() | FENCE_W_IP.mask());
  private static final Access FQ_ACCESS   = Access.rw(FQEN.mask() | FIE.mask()).andW1c(FQMF.mask() | FQOF.mask());
  private static final Access PQ_ACCESS   = Access.rw(PQEN.mask() | PIE.mask()).andW1c(PQMF.mask() | PQOF.mask());

  private static final RegisterMap.Builder B = RegisterMap.named("RISC-V IOMMU", BYTES);
  public static final Register CAPABILITIES = B.register("capabilities", 0x000, Access.RO, CAP);
  public static final Register FCTL        = B.register("fctl",         0x008, Access.rw(FCTL_BE.mask() | FCTL_WSI.mask() | FCTL_GXL.mask()), FCTL_WORD);
  public static final Register DDTP        = B.register("ddtp",         0x010, Access.rw(DDTP_MODE.mask() | DDTP_PPN.mask()), DDTP_WORD);
  public static final Register CQB         = B.register("cqb",          0x018, Access.rw(LOG2SZ.mask() | BASE_PPN.mask()), BASE);
  public static final Register CQH         = B.register("cqh",          0x020, Access.RO, QUEUE_INDEX);
  public static final Register CQT         = B.register("cqt",          0x024, Access.RW, QUEUE_INDEX);
  public static final Register FQB         = B.register("fqb",          0x028, Access.rw(LOG2SZ.mask() | BASE_PPN.mask()), BASE);
  public static final Register FQH         = B.register("fqh",          0x030, Access.RW, QUEUE_INDEX);
  public static final Register FQT         = B.register("fqt",          0x034, Access.RO, QUEUE_INDEX);
  public static final Register PQB         = B.register("pqb",          0x038, Access.rw(LOG2SZ.mask() | BASE_PPN.mask()), BASE);
  public static final Register PQH         = B.register("pqh",          0x040, Access.RW, QUEUE_INDEX);
  public static final Register PQT         = B.register("pqt",          0x044, Access.RO, QUEUE_INDEX);
  public static final Register CQCSR       = B.register("cqcsr",        0x048, CQ_ACCESS, CQCSR_WORD);
  public static final Register FQCSR       = B.register("fqcsr",        0x04c, FQ_ACCESS, FQCSR_WORD);
  public static final Register PQCSR       = B.register("pqcsr",        0x050, PQ_ACCESS, PQCSR_WORD);
  public static final Register IPSR        = B.register("ipsr",         0x054, Access.W1C, IPSR_WORD);
  public static final Register IOCOUNTOVF  = B.register("iocountovf",   0x058, Access.RO, OVERFLOW);
  public static final Register IOCOUNTINH  = B.register("iocountinh",   0x05c, Access.RW, INHIBIT);
  public static final Register IOHPMCYCLES = B.register("iohpmcycles",  0x060, Access.RW, CYCLES);
  public static final Register IOHPMCTR    = B.array   ("iohpmctr",     0x068, COUNTERS, Access.RW, COUNTER);
  public static final Register IOHPMEVT    = B.array   ("iohpmevt",     0x160, COUNTERS, Access.RW, EVENT);
  public static final Register TR_REQ_IOVA = B.register("tr_req_iova",  0x258, Access.rw(TR_VPN.mask()), TR_IOVA_WORD);
  public static final Register TR_REQ_CTL  = B.register("tr_req_ctl",   0x260, Access.RW, TR_CTL_WORD);
  public static final Register TR_RESPONSE = B.register("tr_response",  0x268, Access.RO, TR_RSP_WORD);
  public static final Register IOMMU_QOSID = B.register("iommu_qosid",  0x270, Access.RW, QOS);
  public static final Register ICVEC       = B.register("icvec",        0x2f8, Access.rw(CIV.mask() | FIV.mask() | PMIV.mask() | PIV.mask()), ICVEC_WORD);
  public static final RegisterMap MAP      = B.seal();
  // spotless:on

  /// Where `msi_cfg_tbl` begins: sixteen entries of address, data and control.
  public static final long MSI_CFG_TBL = 0x300;

  /// Within an entry of `msi_cfg_tbl`.
  public static final int MSI_DATA_AT = 8;

  public static final int MSI_CTL_AT = 12;

  /// {@return the lower (0) or upper (1) 32 bits of a register}
  public static long half(long whole, int which) {
    return Integer.toUnsignedLong((int) (whole >>> (which * Integer.SIZE)));
  }

  /// {@return a register with its lower (0) or upper (1) 32 bits replaced}
  public static long withHalf(long whole, int which, long value) {
    int shift = which * Integer.SIZE;
    return (whole & ~(half(-1L, 0) << shift)) | (half(value, 0) << shift);
  }
}
