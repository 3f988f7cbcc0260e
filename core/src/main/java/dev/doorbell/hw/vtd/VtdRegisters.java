package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers of a remapping unit. Those of page requests, performance monitoring, MTRRs, protected memory and the advanced fault log are
/// gaps, which read as zero.
///
/// IVA_REG, IOTLB_REG and the fault recording registers lie where ECAP_REG.IRO and CAP_REG.FRO tell; the map has the places of Doorbell's model.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 11.4.
public final class VtdRegisters {
  /// RTADDR_REG.TTM: root and context entries of 16 bytes.
  public static final int TTM_LEGACY = 0b00;

  /// RTADDR_REG.TTM: context entries of 32 bytes, and PASID tables.
  public static final int TTM_SCALABLE = 0b01;

  /// Bytes of the window.
  public static final long BYTES = 0x1000;

  /// CAP_REG.FRO and ECAP_REG.IRO count in these.
  public static final int OFFSET_UNIT = 16;

  /// Fault recording registers of Doorbell's model.
  static final int FAULT_RECORDS = 8;

  /// SAGAW: 3 levels, 4, 5, by bit.
  public static final int SAGAW_FEWEST_LEVELS = 2;

  /// Granularities of CCMD_REG.CIRG and IOTLB_REG.IIRG, and of their descriptors.
  public static final int GLOBAL = 0b01;

  public static final int DOMAIN = 0b10;

  /// A device's context, or pages.
  public static final int SELECTIVE = 0b11;

  private static final ValueNames MODES =
      ValueNames.of(0b00, "legacy", 0b01, "scalable", 0b10, "reserved", 0b11, "abort DMA");
  private static final ValueNames GRANULARITIES =
      ValueNames.of(0b01, "global", 0b10, "domain", 0b11, "device or pages");
  private static final Layout V = Layout.lsb0("VER_REG", 4);
  private static final Layout CAP_L = Layout.lsb0("CAP_REG", 8);
  private static final Layout ECAP_L = Layout.lsb0("ECAP_REG", 8);
  private static final Layout CMD = Layout.lsb0("GCMD_REG", 4);
  private static final Layout CC = Layout.lsb0("CCMD_REG", 8);
  private static final Layout FS = Layout.lsb0("FSTS_REG", 4);
  private static final Layout EV = Layout.lsb0("FECTL_REG, IECTL_REG", 4);
  private static final Layout DATA_L = Layout.lsb0("FEDATA_REG, IEDATA_REG", 4);
  private static final Layout ADDR_L = Layout.lsb0("FEADDR_REG, IEADDR_REG", 4);
  private static final Layout UADDR_L = Layout.lsb0("FEUADDR_REG, IEUADDR_REG", 4);
  private static final Layout Q = Layout.lsb0("IQH_REG, IQT_REG", 8);
  private static final Layout QA = Layout.lsb0("IQA_REG", 8);
  private static final Layout ICS_L = Layout.lsb0("ICS_REG", 4);
  private static final Layout IVA_L = Layout.lsb0("IVA_REG", 8);
  private static final Layout TLB = Layout.lsb0("IOTLB_REG", 8);
  private static final Layout F0 = Layout.lsb0("FRCD_REG[0]", 8);
  private static final Layout F1 = Layout.lsb0("FRCD_REG[1]", 8);
  private static final Layout G = Layout.lsb0("GSTS_REG", 4);
  private static final Layout R = Layout.lsb0("RTADDR_REG", 8);
  private static final Layout I = Layout.lsb0("IRTA_REG", 8);

  // spotless:off
  public static final Field TES   = G.bit    ("TES",   31);
  public static final Field RTPS  = G.bit    ("RTPS",  30);
  public static final Field QIES  = G.bit    ("QIES",  26);
  public static final Field IRES  = G.bit    ("IRES",  25);
  public static final Field IRTPS = G.bit    ("IRTPS", 24);
  public static final Field CFIS  = G.bit    ("CFIS",  23);
  public static final Field RTA   = R.address("RTA",   63, 12);
  public static final Field TTM   = R.bits   ("TTM",   11, 10, MODES);
  public static final Field IRTA  = I.address("IRTA",  63, 12);
  public static final Field EIME  = I.bit    ("EIME",  11);
  public static final Field SIZE  = I.bits   ("S",      3, 0);
  public static final Field FLS   = G.bit    ("FLS",   29);
  public static final Field AFLS  = G.bit    ("AFLS",  28);
  public static final Field WBFS  = G.bit    ("WBFS",  27);
  public static final Field VER_MAX    = V.bits   ("MAX",    7,  4);
  public static final Field VER_MIN    = V.bits   ("MIN",    3,  0);
  public static final Field ND         = CAP_L.bits("ND",     2,  0);
  public static final Field RWBF       = CAP_L.bit ("RWBF",   4);
  public static final Field PLMR       = CAP_L.bit ("PLMR",   5);
  public static final Field PHMR       = CAP_L.bit ("PHMR",   6);
  public static final Field CM         = CAP_L.bit ("CM",     7);
  public static final Field SAGAW      = CAP_L.bits("SAGAW", 12,  8);
  public static final Field MGAW       = CAP_L.bits("MGAW",  21, 16);
  public static final Field ZLR        = CAP_L.bit ("ZLR",   22);
  public static final Field FRO        = CAP_L.bits("FRO",   33, 24);
  public static final Field SSLPS      = CAP_L.bits("SSLPS", 37, 34);
  public static final Field PSI        = CAP_L.bit ("PSI",   39);
  public static final Field NFR        = CAP_L.bits("NFR",   47, 40);
  public static final Field MAMV       = CAP_L.bits("MAMV",  53, 48);
  public static final Field DWD        = CAP_L.bit ("DWD",   54);
  public static final Field DRD        = CAP_L.bit ("DRD",   55);
  public static final Field FS1GP      = CAP_L.bit ("FS1GP", 56);
  public static final Field PI         = CAP_L.bit ("PI",    59);
  public static final Field FS5LP      = CAP_L.bit ("FS5LP", 60);
  public static final Field C          = ECAP_L.bit ("C",      0);
  public static final Field QI         = ECAP_L.bit ("QI",     1);
  public static final Field DT         = ECAP_L.bit ("DT",     2);
  public static final Field IR         = ECAP_L.bit ("IR",     3);
  public static final Field EIM        = ECAP_L.bit ("EIM",    4);
  public static final Field PT         = ECAP_L.bit ("PT",     6);
  public static final Field SC         = ECAP_L.bit ("SC",     7);
  public static final Field IRO        = ECAP_L.bits("IRO",   17,  8);
  public static final Field MHMV       = ECAP_L.bits("MHMV",  23, 20);
  public static final Field NEST       = ECAP_L.bit ("NEST",  26);
  public static final Field SRS        = ECAP_L.bit ("SRS",   31);
  public static final Field PSS        = ECAP_L.bits("PSS",   39, 35);
  public static final Field PASID      = ECAP_L.bit ("PASID", 40);
  public static final Field SMTS       = ECAP_L.bit ("SMTS",  43);
  public static final Field SSADS      = ECAP_L.bit ("SSADS", 45);
  public static final Field SSTS       = ECAP_L.bit ("SSTS",  46);
  public static final Field FSTS       = ECAP_L.bit ("FSTS",  47);
  public static final Field RPS        = ECAP_L.bit ("RPS",   49);
  public static final Field TE         = CMD.bit   ("TE",    31);
  public static final Field SRTP       = CMD.bit   ("SRTP",  30);
  public static final Field SFL        = CMD.bit   ("SFL",   29);
  public static final Field EAFL       = CMD.bit   ("EAFL",  28);
  public static final Field WBF        = CMD.bit   ("WBF",   27);
  public static final Field QIE        = CMD.bit   ("QIE",   26);
  public static final Field IRE        = CMD.bit   ("IRE",   25);
  public static final Field SIRTP      = CMD.bit   ("SIRTP", 24);
  public static final Field CFI        = CMD.bit   ("CFI",   23);
  public static final Field ICC        = CC.bit    ("ICC",   63);
  public static final Field CIRG       = CC.bits   ("CIRG",  62, 61, GRANULARITIES);
  public static final Field CAIG       = CC.bits   ("CAIG",  60, 59, GRANULARITIES);
  public static final Field CC_FM      = CC.bits   ("FM",    33, 32);
  public static final Field CC_SID     = CC.bits   ("SID",   31, 16);
  public static final Field CC_DID     = CC.bits   ("DID",   15,  0);
  public static final Field PFO        = FS.bit    ("PFO",    0);
  public static final Field PPF        = FS.bit    ("PPF",    1);
  public static final Field IQE        = FS.bit    ("IQE",    4);
  public static final Field ICE        = FS.bit    ("ICE",    5);
  public static final Field ITE        = FS.bit    ("ITE",    6);
  public static final Field FRI        = FS.bits   ("FRI",   15,  8);
  public static final Field IM         = EV.bit    ("IM",    31);
  public static final Field IP         = EV.bit    ("IP",    30);
  public static final Field EVENT_DATA = DATA_L.bits("IMD",  15,  0);
  public static final Field EVENT_ADDRESS = ADDR_L.address("MA", 31, 2);
  public static final Field EVENT_UPPER = UADDR_L.bits("MUA", 31, 0);
  public static final Field QUEUE      = Q.address ("QH", 18, 4);
  public static final Field IQA_BASE   = QA.address("IQA",   63, 12);
  public static final Field DW         = QA.bit    ("DW",    11);
  public static final Field QS         = QA.bits   ("QS",     2,  0);
  public static final Field IWC        = ICS_L.bit ("IWC",    0);
  public static final Field IVA_ADDR   = IVA_L.address("ADDR", 63, 12);
  public static final Field IVA_IH     = IVA_L.bit ("IH",     6);
  public static final Field IVA_AM     = IVA_L.bits("AM",     5,  0);
  public static final Field IVT        = TLB.bit   ("IVT",   63);
  public static final Field IIRG       = TLB.bits  ("IIRG",  61, 60, GRANULARITIES);
  public static final Field IAIG       = TLB.bits  ("IAIG",  58, 57, GRANULARITIES);
  public static final Field TLB_DR     = TLB.bit   ("DR",    49);
  public static final Field TLB_DW     = TLB.bit   ("DW",    48);
  public static final Field TLB_DID    = TLB.bits  ("DID",   47, 32);
  public static final Field FI         = F0.address("FI",    63, 12);
  public static final Field FAULT_SID  = F1.bits   ("SID",   15,  0);
  public static final Field FR         = F1.bits   ("FR",    39, 32);
  public static final Field PP         = F1.bit    ("PP",    31);
  public static final Field PV         = F1.bits   ("PV",    59, 40);
  public static final Field T1         = F1.bit    ("T1",    62, ValueNames.of(0, "write", 1, "read"));
  public static final Field F          = F1.bit    ("F",     63);
  // spotless:on

  public static final Layout GSTS = G.res0(22, 0).seal();
  public static final Layout RTADDR = R.res0(9, 0).seal();
  public static final Layout IRTA_REG = I.res0(10, 4).seal();

  private static final Layout VER_LAYOUT = V.res0(31, 8).seal();

  /// Bits that are named nowhere here belong to features that Doorbell's driver does not look for.
  public static final Layout CAP_LAYOUT =
      CAP_L
          .impdef(3, 3)
          .res0(15, 13)
          .impdef(23, 23)
          .res0(38, 38)
          .impdef(58, 57)
          .impdef(63, 61)
          .seal();

  public static final Layout ECAP_LAYOUT =
      ECAP_L
          .res0(5, 5)
          .res0(19, 18)
          .impdef(25, 24)
          .impdef(30, 27)
          .impdef(34, 32)
          .impdef(42, 41)
          .impdef(44, 44)
          .impdef(48, 48)
          .impdef(63, 50)
          .seal();

  /// GCMD_REG: bits that say how the unit is to be.
  static final long COMMANDS = TE.mask() | QIE.mask() | IRE.mask() | CFI.mask();

  public static final Layout GCMD_LAYOUT = CMD.res0(22, 0).seal();
  public static final Layout CCMD_LAYOUT = CC.res0(58, 34).seal();
  public static final Layout FSTS_LAYOUT = FS.impdef(3, 2).impdef(7, 7).res0(31, 16).seal();

  /// Conditions of which a fault event tells.
  static final long FSTS_EVENTS = PFO.mask() | PPF.mask() | IQE.mask() | ICE.mask() | ITE.mask();

  public static final Layout ECTL_LAYOUT = EV.res0(29, 0).seal();
  private static final Layout DATA_LAYOUT = DATA_L.impdef(31, 16).seal();
  private static final Layout ADDR_LAYOUT = ADDR_L.res0(1, 0).seal();
  private static final Layout UADDR_LAYOUT = UADDR_L.seal();
  public static final Layout QUEUE_LAYOUT = Q.res0(3, 0).res0(63, 19).seal();
  public static final Layout IQA_LAYOUT = QA.res0(10, 3).seal();
  public static final Layout ICS_LAYOUT = ICS_L.res0(31, 1).seal();
  public static final Layout IVA_LAYOUT = IVA_L.res0(11, 7).seal();
  public static final Layout IOTLB_LAYOUT =
      TLB.res0(31, 0).res0(56, 50).res0(59, 59).res0(62, 62).seal();
  public static final Layout FRCD_LOW = F0.res0(11, 0).seal();
  public static final Layout FRCD_HIGH = F1.res0(27, 16).impdef(30, 28).impdef(61, 60).seal();

  private static final Layout FRCD = Layout.lsb0("FRCD_REG", 8).impdef(63, 0).seal();
  private static final Access EVENT = Access.rw(IM.mask());
  private static final RegisterMap.Builder B = RegisterMap.named("VT-d", BYTES);

  // spotless:off
  public static final Register VER_REG     = B.register("VER_REG",     0x000, Access.RO, VER_LAYOUT);
  public static final Register CAP_REG     = B.register("CAP_REG",     0x008, Access.RO, CAP_LAYOUT);
  public static final Register ECAP_REG    = B.register("ECAP_REG",    0x010, Access.RO, ECAP_LAYOUT);
  public static final Register GCMD_REG    = B.register("GCMD_REG",    0x018, Access.WO, GCMD_LAYOUT);
  public static final Register GSTS_REG    = B.register("GSTS_REG",    0x01c, Access.RO, GSTS);
  public static final Register RTADDR_REG  = B.register("RTADDR_REG",  0x020, Access.rw(RTA.mask() | TTM.mask()), RTADDR);
  public static final Register CCMD_REG    = B.register("CCMD_REG",    0x028, Access.rw(~CAIG.mask()), CCMD_LAYOUT);
  public static final Register FSTS_REG    = B.register("FSTS_REG",    0x034, Access.RO.andW1c(PFO.mask() | IQE.mask() | ICE.mask() | ITE.mask()), FSTS_LAYOUT);
  public static final Register FECTL_REG   = B.register("FECTL_REG",   0x038, EVENT, ECTL_LAYOUT, IM.mask());
  public static final Register FEDATA_REG  = B.register("FEDATA_REG",  0x03c, Access.rw(EVENT_DATA.mask()), DATA_LAYOUT);
  public static final Register FEADDR_REG  = B.register("FEADDR_REG",  0x040, Access.rw(EVENT_ADDRESS.mask()), ADDR_LAYOUT);
  public static final Register FEUADDR_REG = B.register("FEUADDR_REG", 0x044, Access.RW, UADDR_LAYOUT);
  public static final Register IQH_REG     = B.register("IQH_REG",     0x080, Access.RO, QUEUE_LAYOUT);
  public static final Register IQT_REG     = B.register("IQT_REG",     0x088, Access.rw(QUEUE.mask()), QUEUE_LAYOUT);
  public static final Register IQA_REG     = B.register("IQA_REG",     0x090, Access.rw(IQA_BASE.mask() | DW.mask() | QS.mask()), IQA_LAYOUT);
  public static final Register ICS_REG     = B.register("ICS_REG",     0x09c, Access.RO.andW1c(IWC.mask()), ICS_LAYOUT);
  public static final Register IECTL_REG   = B.register("IECTL_REG",   0x0a0, EVENT, ECTL_LAYOUT, IM.mask());
  public static final Register IEDATA_REG  = B.register("IEDATA_REG",  0x0a4, Access.rw(EVENT_DATA.mask()), DATA_LAYOUT);
  public static final Register IEADDR_REG  = B.register("IEADDR_REG",  0x0a8, Access.rw(EVENT_ADDRESS.mask()), ADDR_LAYOUT);
  public static final Register IEUADDR_REG = B.register("IEUADDR_REG", 0x0ac, Access.RW, UADDR_LAYOUT);
  public static final Register IRTADDR_REG = B.register("IRTA_REG",    0x0b8, Access.rw(IRTA.mask() | EIME.mask() | SIZE.mask()), IRTA_REG);
  public static final Register IVA_REG     = B.register("IVA_REG",     0x0f0, Access.WO, IVA_LAYOUT);
  public static final Register IOTLB_REG   = B.register("IOTLB_REG",   0x0f8, Access.rw(~IAIG.mask()), IOTLB_LAYOUT);
  /// Two elements a record: its lower and its upper half.
  public static final Register FRCD_REG    = B.array("FRCD_REG", 0x220, 2 * FAULT_RECORDS, Access.RO.andW1c(F.mask()), FRCD);
  // spotless:on

  public static final RegisterMap MAP = B.seal();

  private VtdRegisters() {}
}
