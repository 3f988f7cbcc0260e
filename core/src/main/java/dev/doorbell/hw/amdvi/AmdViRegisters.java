package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The registers of an AMD IOMMU. Those of features that Doorbell does not know (MARC, SMI filters, performance counters, the second logs)
/// are gaps, which read as zero and ignore writes. Registers have the names that dumps of them use.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 3.4 IOMMU MMIO Registers.
public final class AmdViRegisters {
  private static final Layout D = Layout.lsb0("DevTabBase", 8);
  private static final Layout SEG = Layout.lsb0("DevTabSeg", 8);
  private static final Layout CB = Layout.lsb0("CmdBufBase", 8);
  private static final Layout EB = Layout.lsb0("EventLogBase", 8);
  private static final Layout C = Layout.lsb0("Control", 8);
  private static final Layout XB = Layout.lsb0("ExclBase", 8);
  private static final Layout XL = Layout.lsb0("ExclLimit", 8);
  private static final Layout X = Layout.lsb0("ExtFeature", 8);
  private static final Layout PB = Layout.lsb0("PprLogBase", 8);
  private static final Layout HU = Layout.lsb0("HwEventUpper", 8);
  private static final Layout HL = Layout.lsb0("HwEventLower", 8);
  private static final Layout HS = Layout.lsb0("HwEventStatus", 8);
  private static final Layout GB = Layout.lsb0("GALogBase", 8);
  private static final Layout GT = Layout.lsb0("GALogTailAddr", 8);
  private static final Layout XI = Layout.lsb0("XtIntControl", 8);
  private static final Layout P = Layout.lsb0("BufferPointer", 8);
  private static final Layout GP = Layout.lsb0("GALogPointer", 8);
  private static final Layout S = Layout.lsb0("Status", 8);

  // spotless:off
  public static final Field DEV_TAB_SIZE     = D.bits    ("Size",              8,  0);
  public static final Field DEV_TAB_BASE     = D.address ("DevTabBase",       51, 12);
  public static final Field DEV_SEG_SIZE     = SEG.bits  ("Size",              7,  0);
  public static final Field DEV_SEG_BASE     = SEG.address("DevTabBase",      51, 12);
  public static final Field CMD_BASE         = CB.address("ComBase",          51, 12);
  public static final Field CMD_LEN          = CB.bits   ("ComLen",           59, 56);
  public static final Field EVENT_BASE       = EB.address("EventBase",        51, 12);
  public static final Field EVENT_LEN        = EB.bits   ("EventLen",         59, 56);
  public static final Field PPR_BASE         = PB.address("PPRLogBase",       51, 12);
  public static final Field PPR_LEN          = PB.bits   ("PPRLogLen",        59, 56);
  public static final Field GA_BASE          = GB.address("GALogBase",        51, 12);
  public static final Field GA_LEN           = GB.bits   ("GALogLen",         59, 56);
  public static final Field GA_TAIL_ADDR     = GT.address("GATAddr",          51,  3);

  public static final Field IOMMU_EN         = C.bit     ("IommuEn",           0);
  public static final Field HT_TUN_EN        = C.bit     ("HtTunEn",           1);
  public static final Field EVENT_LOG_EN     = C.bit     ("EventLogEn",        2);
  public static final Field EVENT_INT_EN     = C.bit     ("EventIntEn",        3);
  public static final Field COM_WAIT_INT_EN  = C.bit     ("ComWaitIntEn",      4);
  public static final Field INV_TIME_OUT     = C.bits    ("InvTimeOut",        7,  5);
  public static final Field PASS_PW          = C.bit     ("PassPW",            8);
  public static final Field RES_PASS_PW      = C.bit     ("ResPassPW",         9);
  public static final Field COHERENT         = C.bit     ("Coherent",         10);
  public static final Field ISOC             = C.bit     ("Isoc",             11);
  public static final Field CMD_BUF_EN       = C.bit     ("CmdBufEn",         12);
  public static final Field PPR_LOG_EN       = C.bit     ("PprLogEn",         13);
  public static final Field PPR_INT_EN       = C.bit     ("PprIntEn",         14);
  public static final Field PPR_EN           = C.bit     ("PPREn",            15);
  public static final Field GT_EN            = C.bit     ("GTEn",             16);
  public static final Field GA_EN            = C.bit     ("GAEn",             17);
  public static final Field CRW              = C.bits    ("CRW",              21, 18);
  public static final Field SMI_F_EN         = C.bit     ("SmiFEn",           22);
  public static final Field SLF_WB_DIS       = C.bit     ("SlfWBDis",         23);
  public static final Field SMI_F_LOG_EN     = C.bit     ("SmiFLogEn",        24);
  public static final Field GAM_EN           = C.bits    ("GAMEn",            27, 25);
  public static final Field GA_LOG_EN        = C.bit     ("GALogEn",          28);
  public static final Field GA_INT_EN        = C.bit     ("GAIntEn",          29);
  public static final Field DUAL_PPR_LOG_EN  = C.bits    ("DualPprLogEn",     31, 30);
  public static final Field DUAL_EVENT_LOG_EN = C.bits   ("DualEventLogEn",   33, 32);
  public static final Field DEV_TBL_SEG_EN   = C.bits    ("DevTblSegEn",      36, 34);
  public static final Field PRIV_ABRT_EN     = C.bits    ("PrivAbrtEn",       38, 37);
  public static final Field PPR_AUTO_RSP_EN  = C.bit     ("PprAutoRspEn",     39);
  public static final Field MARC_EN          = C.bit     ("MarcEn",           40);
  public static final Field BLK_STOP_MRK_EN  = C.bit     ("BlkStopMrkEn",     41);
  public static final Field PPR_AUTO_RSP_AON = C.bit     ("PprAutoRspAon",    42);
  public static final Field NUM_INT_REMAP_MODE = C.bits  ("NumIntRemapMode",  44, 43);
  public static final Field EPH_EN           = C.bit     ("EPHEn",            45);
  public static final Field HAD_UPDATE       = C.bits    ("HADUpdate",        47, 46);
  public static final Field GD_UPDATE_DIS    = C.bit     ("GDUpdateDis",      48);
  public static final Field XT_EN            = C.bit     ("XTEn",             50);
  public static final Field INT_CAP_XT_EN    = C.bit     ("IntCapXTEn",       51);
  public static final Field GA_UPDATE_DIS    = C.bit     ("GAUpdateDis",      54);
  public static final Field IRT_CACHE_DIS    = C.bit     ("IrtCacheDis",      59);

  public static final Field EXCL_EN          = XB.bit    ("ExEn",              0);
  public static final Field EXCL_ALLOW       = XB.bit    ("Allow",             1);
  public static final Field EXCL_BASE        = XB.address("ExclBase",         51, 12);
  public static final Field EXCL_LIMIT       = XL.address("ExclLimit",        51, 12);

  public static final Field PREF_SUP         = X.bit     ("PreFSup",           0);
  public static final Field PPR_SUP          = X.bit     ("PPRSup",            1);
  public static final Field XT_SUP           = X.bit     ("XTSup",             2);
  public static final Field NX_SUP           = X.bit     ("NXSup",             3);
  public static final Field GT_SUP           = X.bit     ("GTSup",             4);
  public static final Field IA_SUP           = X.bit     ("IASup",             6);
  public static final Field GA_SUP           = X.bit     ("GASup",             7);
  public static final Field HE_SUP           = X.bit     ("HESup",             8);
  public static final Field PC_SUP           = X.bit     ("PCSup",             9);
  public static final Field HATS             = X.bits    ("HATS",             11, 10);
  public static final Field GATS             = X.bits    ("GATS",             13, 12);
  public static final Field GLX_SUP          = X.bits    ("GLXSup",           15, 14);
  public static final Field SMI_F_SUP        = X.bits    ("SmiFSup",          17, 16);
  public static final Field SMI_F_RC         = X.bits    ("SmiFRC",           20, 18);
  public static final Field GAM_SUP          = X.bits    ("GAMSup",           23, 21);
  public static final Field DUAL_PPR_LOG_SUP = X.bits    ("DualPprLogSup",    25, 24);
  public static final Field DUAL_EVENT_LOG_SUP = X.bits  ("DualEventLogSup",  29, 28);
  public static final Field SATS_SUP         = X.bit     ("SATSSup",          31);
  public static final Field PAS_MAX          = X.bits    ("PASMax",           36, 32);
  public static final Field US_SUP           = X.bit     ("USSup",            37);
  public static final Field DEV_TBL_SEG_SUP  = X.bits    ("DevTblSegSup",     39, 38);
  public static final Field PPR_OVRFLW_EARLY_SUP = X.bit ("PprOvrflwEarlySup", 40);
  public static final Field PPR_AUTO_RSP_SUP = X.bit     ("PPRAutoRspSup",    41);
  public static final Field MARC_SUP         = X.bits    ("MarcSup",          43, 42);
  public static final Field BLK_STOP_MRK_SUP = X.bit     ("BlkStopMrkSup",    44);
  public static final Field PERF_OPT_SUP     = X.bit     ("PerfOptSup",       45);
  public static final Field MSI_CAP_MMIO_SUP = X.bit     ("MsiCapMmioSup",    46);
  public static final Field GIO_SUP          = X.bit     ("GIoSup",           48);
  public static final Field HA_SUP           = X.bit     ("HASup",            49);
  public static final Field EPH_SUP          = X.bit     ("EPHSup",           50);
  public static final Field ATTR_FW_SUP      = X.bit     ("AttrFWSup",        51);
  public static final Field HD_SUP           = X.bit     ("HDSup",            52);
  public static final Field INV_IOTLB_TYPE_SUP = X.bit   ("InvIotlbTypeSup",  54);

  public static final Field HW_EVENT_FIRST   = HU.bits   ("FirstOperand",     59,  0);
  public static final Field HW_EVENT_CODE    = HU.bits   ("EventCode",        63, 60);
  public static final Field HW_EVENT_SECOND  = HL.bits   ("SecondOperand",    63,  0);
  public static final Field HW_EVENT_VALID   = HS.bit    ("HEV",               0);
  public static final Field HW_EVENT_OVERFLOW = HS.bit   ("HEO",               1);

  public static final Field XT_DEST_MODE     = XI.bit    ("DestMode",          2);
  public static final Field XT_DEST_LOW      = XI.bits   ("Destination[23:0]", 31, 8);
  public static final Field XT_VECTOR        = XI.bits   ("Vector",           39, 32);
  public static final Field XT_DELIVERY      = XI.bit    ("DeliveryMode",     40);
  public static final Field XT_DEST_HIGH     = XI.bits   ("Destination[31:24]", 63, 56);

  /// Offset in the command buffer or a log, in place: multiples of 16 below 512 KiB.
  public static final Field POINTER          = P.address ("Pointer",          18,  4);
  public static final Field GA_POINTER       = GP.address("GALogPointer",     15,  3);

  public static final Field EVENT_OVERFLOW   = S.bit     ("EventOverflow",     0);
  public static final Field EVENT_LOG_INT    = S.bit     ("EventLogInt",       1);
  public static final Field COM_WAIT_INT     = S.bit     ("ComWaitInt",        2);
  public static final Field EVENT_LOG_RUN    = S.bit     ("EventLogRun",       3);
  public static final Field CMD_BUF_RUN      = S.bit     ("CmdBufRun",         4);
  public static final Field PPR_OVERFLOW     = S.bit     ("PprOverflow",       5);
  public static final Field PPR_INT          = S.bit     ("PprInt",            6);
  public static final Field PPR_LOG_RUN      = S.bit     ("PprLogRun",         7);
  public static final Field GA_LOG_RUN       = S.bit     ("GALogRun",          8);
  public static final Field GA_LOG_OVERFLOW  = S.bit     ("GALOverflow",       9);
  public static final Field GA_INT           = S.bit     ("GAInt",            10);
  public static final Field PPR_OVERFLOW_B   = S.bit     ("PprOverflowB",     11);
  public static final Field PPR_LOG_ACTIVE   = S.bit     ("PprLogActive",     12);
  public static final Field EVENT_OVERFLOW_B = S.bit     ("EventOverflowB",   15);
  public static final Field EVENT_LOG_ACTIVE = S.bit     ("EventLogActive",   16);
  public static final Field PPR_OVERFLOW_EARLY_B = S.bit ("PprOverflowEarlyB", 17);
  public static final Field PPR_OVERFLOW_EARLY = S.bit   ("PprOverflowEarly", 18);

  public static final Layout DEV_TAB         = D.res0(11, 9).res0(63, 52).seal();
  public static final Layout DEV_TAB_SEGMENT = SEG.res0(11, 8).res0(63, 52).seal();
  public static final Layout CMD_BUF         = CB.res0(11, 0).res0(55, 52).res0(63, 60).seal();
  public static final Layout EVENT_LOG       = EB.res0(11, 0).res0(55, 52).res0(63, 60).seal();
  public static final Layout CONTROL         = C.res0(49, 49).res0(53, 52).software(58, 55).software(63, 60).seal();
  public static final Layout EXCLUSION_BASE  = XB.res0(11, 2).res0(63, 52).seal();
  public static final Layout EXCLUSION_LIMIT = XL.ignored(11, 0).res0(63, 52).seal();
  public static final Layout EXT_FEATURE     = X.ignored(5, 5).ignored(27, 26).ignored(30, 30).ignored(47, 47).ignored(53, 53).ignored(63, 55).seal();
  public static final Layout PPR_LOG         = PB.res0(11, 0).res0(55, 52).res0(63, 60).seal();
  public static final Layout HW_EVENT_HIGH   = HU.seal();
  public static final Layout HW_EVENT_LOW    = HL.seal();
  public static final Layout HW_EVENT        = HS.res0(63, 2).seal();
  public static final Layout GA_LOG          = GB.res0(11, 0).res0(55, 52).res0(63, 60).seal();
  public static final Layout GA_LOG_TAIL_ADDRESS = GT.res0(2, 0).res0(63, 52).seal();
  public static final Layout XT_INT_CONTROL  = XI.res0(1, 0).res0(7, 3).res0(55, 41).seal();
  public static final Layout BUFFER_POINTER  = P.res0(3, 0).res0(63, 19).seal();
  public static final Layout GA_LOG_POINTER  = GP.res0(2, 0).res0(63, 16).seal();
  public static final Layout STATUS_WORD     = S.res0(14, 13).res0(63, 19).seal();

  private static final Access FIELDS_OF_BUFFER = Access.rw(CMD_BASE.mask() | CMD_LEN.mask());
  private static final Access INDEX = Access.rw(POINTER.mask());
  private static final RegisterMap.Builder M = RegisterMap.named("AMD IOMMU", 0x4000);

  public static final Register DEV_TAB_BASE_REG  = M.register("DEVTAB_BASE", 0x0000, Access.rw(DEV_TAB_BASE.mask() | DEV_TAB_SIZE.mask()), DEV_TAB);
  public static final Register CMD_BUF_BASE_REG  = M.register("CMDBUF_BASE", 0x0008, FIELDS_OF_BUFFER, CMD_BUF, CMD_LEN.place(8));
  public static final Register EVENT_BASE_REG    = M.register("EVTLOG_BASE", 0x0010, FIELDS_OF_BUFFER, EVENT_LOG, EVENT_LEN.place(8));
  public static final Register CONTROL_REG       = M.register("CONTROL", 0x0018, Access.RW, CONTROL);
  public static final Register EXCL_BASE_REG     = M.register("EXCL_BASE", 0x0020, Access.rw(EXCL_EN.mask() | EXCL_ALLOW.mask() | EXCL_BASE.mask()), EXCLUSION_BASE);
  public static final Register EXCL_LIMIT_REG    = M.register("EXCL_LIMIT", 0x0028, Access.rw(EXCL_LIMIT.mask()), EXCLUSION_LIMIT);
  public static final Register EXT_FEATURE_REG   = M.register("EXT_FEATURES", 0x0030, Access.RO, EXT_FEATURE);
  public static final Register PPR_BASE_REG      = M.register("PPRLOG_BASE", 0x0038, FIELDS_OF_BUFFER, PPR_LOG, PPR_LEN.place(8));
  public static final Register HW_EVENT_HIGH_REG = M.register("HW_EVENT_UPPER", 0x0040, Access.RO, HW_EVENT_HIGH);
  public static final Register HW_EVENT_LOW_REG  = M.register("HW_EVENT_LOWER", 0x0048, Access.RO, HW_EVENT_LOW);
  public static final Register HW_EVENT_REG      = M.register("HW_EVENT_STATUS", 0x0050, new Access(0, HW_EVENT_VALID.mask() | HW_EVENT_OVERFLOW.mask(), 0, 0, 0), HW_EVENT);
  public static final Register GA_BASE_REG       = M.register("GALOG_BASE", 0x00e0, FIELDS_OF_BUFFER, GA_LOG, GA_LEN.place(8));
  public static final Register GA_TAIL_ADDR_REG  = M.register("GALOG_TAIL_ADDR", 0x00e8, Access.rw(GA_TAIL_ADDR.mask()), GA_LOG_TAIL_ADDRESS);
  /// Segments 1 to 7 of the device table.
  public static final Register DEV_TAB_SEG_REG   = M.array   ("DEVTAB_SEG", 0x0100, 7, Access.rw(DEV_SEG_BASE.mask() | DEV_SEG_SIZE.mask()), DEV_TAB_SEGMENT);
  /// Interrupts of the IOMMU's own: general, PPR, GA log.
  public static final Register XT_INT_REG        = M.array   ("XT_INT_CONTROL", 0x0170, 3, Access.rw(
      XT_DEST_MODE.mask() | XT_DEST_LOW.mask() | XT_VECTOR.mask() | XT_DELIVERY.mask() | XT_DEST_HIGH.mask()), XT_INT_CONTROL);
  public static final Register CMD_HEAD_REG      = M.register("CMD_HEAD", 0x2000, INDEX, BUFFER_POINTER);
  public static final Register CMD_TAIL_REG      = M.register("CMD_TAIL", 0x2008, INDEX, BUFFER_POINTER);
  public static final Register EVENT_HEAD_REG    = M.register("EVT_HEAD", 0x2010, INDEX, BUFFER_POINTER);
  public static final Register EVENT_TAIL_REG    = M.register("EVT_TAIL", 0x2018, INDEX, BUFFER_POINTER);
  public static final Register STATUS_REG        = M.register("STATUS", 0x2020, new Access(0,
      EVENT_OVERFLOW.mask() | EVENT_LOG_INT.mask() | COM_WAIT_INT.mask() | PPR_OVERFLOW.mask() | PPR_INT.mask() | GA_LOG_OVERFLOW.mask() | GA_INT.mask()
          | PPR_OVERFLOW_B.mask() | EVENT_OVERFLOW_B.mask() | PPR_OVERFLOW_EARLY_B.mask() | PPR_OVERFLOW_EARLY.mask(), 0, 0, 0), STATUS_WORD);
  public static final Register PPR_HEAD_REG      = M.register("PPR_HEAD", 0x2030, INDEX, BUFFER_POINTER);
  public static final Register PPR_TAIL_REG      = M.register("PPR_TAIL", 0x2038, INDEX, BUFFER_POINTER);
  public static final Register GA_HEAD_REG       = M.register("GA_HEAD", 0x2040, Access.rw(GA_POINTER.mask()), GA_LOG_POINTER);
  public static final Register GA_TAIL_REG       = M.register("GA_TAIL", 0x2048, Access.rw(GA_POINTER.mask()), GA_LOG_POINTER);
  // spotless:on

  /// The whole window: 16 KiB.
  public static final RegisterMap MAP = M.seal();

  /// Bytes of the unit of DevTabBase.Size, which states one less than there are.
  public static final int DEV_TAB_UNIT = 4096;

  /// ComLen and EventLen: the least, 256 entries. Smaller ones are reserved.
  public static final int LEAST_LENGTH = 8;

  /// GAMSup and GAMEn: guest virtual APIC mode.
  public static final int GAM_GUEST = 1;

  /// HATS: as many levels of host page tables above this as it says.
  public static final int LEAST_LEVELS = 4;

  private AmdViRegisters() {}
}
