package dev.doorbell.hw.gicv3;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// One Redistributor's registers: the RD frame and, 64 KiB above it, the SGI frame.
///
/// A GICv4 Redistributor ({@link #VLPIS}) has two further frames. Source: IHI 0069 H, 12.10 and 12.11.
public final class GicrRegisters {
  /// Bytes of a Redistributor without and with virtual LPIs.
  public static final long BYTES = 0x20000;

  public static final long BYTES_V4 = 0x40000;

  private static final Layout CTLR_L = Layout.lsb0("GICR_CTLR", 4);
  private static final Layout TYPER_L = Layout.lsb0("GICR_TYPER", 8);
  private static final Layout AFFINITY_L = Layout.lsb0("GICR_TYPER.Affinity_Value", 4);
  private static final Layout RD_BASE_L = Layout.lsb0("RD_base", 8);
  private static final Layout WAKER_L = Layout.lsb0("GICR_WAKER", 4);
  private static final Layout LPIR_L = Layout.lsb0("GICR_SETLPIR", 8);
  private static final Layout PROPBASER_L = Layout.lsb0("GICR_PROPBASER", 8);
  private static final Layout PENDBASER_L = Layout.lsb0("GICR_PENDBASER", 8);
  private static final Layout INVLPIR_L = Layout.lsb0("GICR_INVLPIR", 8);
  private static final Layout INVALLR_L = Layout.lsb0("GICR_INVALLR", 8);
  private static final Layout SYNCR_L = Layout.lsb0("GICR_SYNCR", 4);
  private static final Layout MPAMIDR_L = Layout.lsb0("GICR_MPAMIDR", 4);
  private static final Layout PARTIDR_L = Layout.lsb0("GICR_PARTIDR", 4);

  // spotless:off
  public static final Field ENABLE_LPIS = CTLR_L.bit("EnableLPIs",  0);
  public static final Field CES         = CTLR_L.bit("CES",         1);
  public static final Field IR          = CTLR_L.bit("IR",          2);
  public static final Field RWP         = CTLR_L.bit("RWP",         3);
  public static final Field DPG0        = CTLR_L.bit("DPG0",       24);
  public static final Field DPG1NS      = CTLR_L.bit("DPG1NS",     25);
  public static final Field DPG1S       = CTLR_L.bit("DPG1S",      26);
  public static final Field UWP         = CTLR_L.bit("UWP",        31);
  public static final Layout CTLR_LAYOUT = CTLR_L.res0(23, 4).res0(30, 27).seal();

  public static final Field PLPIS          = TYPER_L.bit ("PLPIS",             0);
  public static final Field VLPIS          = TYPER_L.bit ("VLPIS",             1);
  public static final Field DIRTY          = TYPER_L.bit ("Dirty",             2);
  public static final Field DIRECT_LPI     = TYPER_L.bit ("DirectLPI",         3);
  public static final Field LAST           = TYPER_L.bit ("Last",              4);
  public static final Field DPGS           = TYPER_L.bit ("DPGS",              5);
  public static final Field MPAM           = TYPER_L.bit ("MPAM",              6);
  public static final Field RVPEID         = TYPER_L.bit ("RVPEID",            7);
  public static final Field PROCESSOR_NUMBER = TYPER_L.bits("Processor_Number", 23, 8);
  public static final Field COMMON_LPI_AFF = TYPER_L.bits("CommonLPIAff",     25, 24);
  public static final Field VSGI           = TYPER_L.bit ("VSGI",             26);
  public static final Field PPI_NUM        = TYPER_L.bits("PPInum",           31, 27);
  public static final Field AFFINITY_VALUE = TYPER_L.bits("Affinity_Value",   63, 32);
  public static final Layout TYPER_LAYOUT  = TYPER_L.seal();

  private static final Field AFF0           = AFFINITY_L.bits("Aff0",  7,  0);
  private static final Field AFF1           = AFFINITY_L.bits("Aff1", 15,  8);
  private static final Field AFF2           = AFFINITY_L.bits("Aff2", 23, 16);
  private static final Field AFF3           = AFFINITY_L.bits("Aff3", 31, 24);
  public static final Layout AFFINITY_LAYOUT = AFFINITY_L.seal();

  /// Of a Redistributor's address: what an ITS whose GITS_TYPER.PTA is 1 calls a target by (IHI 0069 H, 5.3, RDbase).
  public static final Field RD_BASE_TARGET  = RD_BASE_L.bits("RD_base[51:16]", 51, 16);
  public static final Layout RD_BASE_LAYOUT = RD_BASE_L.res0(15, 0).res0(63, 52).seal();

  public static final Field PROCESSOR_SLEEP = WAKER_L.bit("ProcessorSleep", 1);
  public static final Field CHILDREN_ASLEEP = WAKER_L.bit("ChildrenAsleep", 2);
  public static final Layout WAKER_LAYOUT   = WAKER_L.impdef(0, 0).res0(30, 3).impdef(31, 31).seal();

  public static final Field LPI_PINTID     = LPIR_L.bits("pINTID", 31, 0);
  public static final Layout LPIR_LAYOUT   = LPIR_L.res0(63, 32).seal();

  public static final Field PROP_ID_BITS      = PROPBASER_L.bits   ("IDbits",            4,  0);
  public static final Field PROP_INNER_CACHE  = PROPBASER_L.bits   ("InnerCache",        9,  7);
  public static final Field PROP_SHAREABILITY = PROPBASER_L.bits   ("Shareability",     11, 10);
  public static final Field PROP_ADDRESS      = PROPBASER_L.address("Physical_Address", 51, 12);
  public static final Field PROP_OUTER_CACHE  = PROPBASER_L.bits   ("OuterCache",       58, 56);
  public static final Layout PROPBASER_LAYOUT = PROPBASER_L.res0(6, 5).res0(55, 52).res0(63, 59).seal();

  public static final Field PEND_INNER_CACHE  = PENDBASER_L.bits   ("InnerCache",        9,  7);
  public static final Field PEND_SHAREABILITY = PENDBASER_L.bits   ("Shareability",     11, 10);
  public static final Field PEND_ADDRESS      = PENDBASER_L.address("Physical_Address", 51, 16);
  public static final Field PEND_OUTER_CACHE  = PENDBASER_L.bits   ("OuterCache",       58, 56);
  public static final Field PTZ               = PENDBASER_L.bit    ("PTZ",              62);
  public static final Layout PENDBASER_LAYOUT = PENDBASER_L.res0(6, 0).res0(15, 12).res0(55, 52).res0(61, 59).res0(63, 63).seal();

  public static final Field INV_INTID      = INVLPIR_L.bits("INTID", 31,  0);
  public static final Field INV_VPEID      = INVLPIR_L.bits("vPEID", 47, 32);
  public static final Field INV_V          = INVLPIR_L.bit ("V",     63);
  public static final Layout INVLPIR_LAYOUT = INVLPIR_L.res0(62, 48).seal();

  public static final Field INVALL_VPEID   = INVALLR_L.bits("vPEID", 47, 32);
  public static final Field INVALL_V       = INVALLR_L.bit ("V",     63);
  public static final Layout INVALLR_LAYOUT = INVALLR_L.res0(31, 0).res0(62, 48).seal();

  public static final Field BUSY           = SYNCR_L.bit("Busy", 0);
  public static final Layout SYNCR_LAYOUT  = SYNCR_L.res0(31, 1).seal();

  public static final Field PARTID_MAX     = MPAMIDR_L.bits("PARTIDmax", 15,  0);
  public static final Field PMG_MAX        = MPAMIDR_L.bits("PMGmax",    23, 16);
  public static final Layout MPAMIDR_LAYOUT = MPAMIDR_L.res0(31, 24).seal();

  public static final Field PARTID         = PARTIDR_L.bits("PARTID", 15,  0);
  public static final Field PMG            = PARTIDR_L.bits("PMG",    23, 16);
  public static final Layout PARTIDR_LAYOUT = PARTIDR_L.res0(31, 24).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("GICR", BYTES);
  public static final Register CTLR       = B.register("GICR_CTLR",      0x0000, Access.rw(ENABLE_LPIS.mask()), CTLR_LAYOUT, CES.mask());
  public static final Register IIDR       = B.register("GICR_IIDR",      0x0004, Access.RO, GicdRegisters.IIDR_LAYOUT);
  public static final Register TYPER      = B.register("GICR_TYPER",     0x0008, Access.RO, TYPER_LAYOUT);
  public static final Register STATUSR    = B.register("GICR_STATUSR",   0x0010, Access.RO.andW1c(0xf), GicdRegisters.STATUSR_LAYOUT);
  public static final Register WAKER      = B.register("GICR_WAKER",     0x0014, Access.rw(PROCESSOR_SLEEP.mask()), WAKER_LAYOUT, PROCESSOR_SLEEP.mask() | CHILDREN_ASLEEP.mask());
  public static final Register MPAMIDR    = B.register("GICR_MPAMIDR",   0x0018, Access.RO, MPAMIDR_LAYOUT);
  public static final Register PARTIDR    = B.register("GICR_PARTIDR",   0x001c, Access.RO, PARTIDR_LAYOUT);
  public static final Register SETLPIR    = B.register("GICR_SETLPIR",   0x0040, Access.WO, LPIR_LAYOUT);
  public static final Register CLRLPIR    = B.register("GICR_CLRLPIR",   0x0048, Access.WO, LPIR_LAYOUT);
  public static final Register PROPBASER  = B.register("GICR_PROPBASER", 0x0070, Access.rw(PROP_ID_BITS.mask() | PROP_INNER_CACHE.mask() | PROP_SHAREABILITY.mask() | PROP_ADDRESS.mask() | PROP_OUTER_CACHE.mask()), PROPBASER_LAYOUT);
  public static final Register PENDBASER  = B.register("GICR_PENDBASER", 0x0078, new Access(PEND_INNER_CACHE.mask() | PEND_SHAREABILITY.mask() | PEND_ADDRESS.mask() | PEND_OUTER_CACHE.mask(), 0, 0, 0, PTZ.mask()), PENDBASER_LAYOUT);
  public static final Register INVLPIR    = B.register("GICR_INVLPIR",   0x00a0, Access.WO, INVLPIR_LAYOUT);
  public static final Register INVALLR    = B.register("GICR_INVALLR",   0x00b0, Access.WO, INVALLR_LAYOUT);
  public static final Register SYNCR      = B.register("GICR_SYNCR",     0x00c0, Access.RO, SYNCR_LAYOUT);
  public static final Register PIDR2      = B.register("GICR_PIDR2",     0xffe8, Access.RO, GicdRegisters.PIDR2_LAYOUT);
  // The SGI frame: SGIs are INTIDs 0 to 15, PPIs 16 to 31.
  public static final Register IGROUPR0   = B.register("GICR_IGROUPR0",   0x10080, Access.RW,  GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ISENABLER0 = B.register("GICR_ISENABLER0", 0x10100, Access.W1S, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ICENABLER0 = B.register("GICR_ICENABLER0", 0x10180, Access.W1C, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ISPENDR0   = B.register("GICR_ISPENDR0",   0x10200, Access.W1S, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ICPENDR0   = B.register("GICR_ICPENDR0",   0x10280, Access.W1C, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ISACTIVER0 = B.register("GICR_ISACTIVER0", 0x10300, Access.W1S, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register ICACTIVER0 = B.register("GICR_ICACTIVER0", 0x10380, Access.W1C, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register IPRIORITYR = B.array   ("GICR_IPRIORITYR", 0x10400, 8, Access.RW, GicdRegisters.PRIORITY_LAYOUT);
  public static final Register ICFGR      = B.array   ("GICR_ICFGR",      0x10c00, 2, Access.RW, GicdRegisters.TWO_BITS_LAYOUT);
  public static final Register IGRPMODR0  = B.register("GICR_IGRPMODR0",  0x10d00, Access.RO, GicdRegisters.ONE_BIT_LAYOUT);
  public static final Register NSACR      = B.register("GICR_NSACR",      0x10e00, Access.RO, GicdRegisters.TWO_BITS_LAYOUT);
  public static final Register INMIR0     = B.register("GICR_INMIR0",     0x10f80, Access.RO, GicdRegisters.ONE_BIT_LAYOUT);
  public static final RegisterMap MAP     = B.seal();
  // spotless:on

  private GicrRegisters() {}

  /// {@return GICR_TYPER.Affinity_Value of a CPU}
  ///
  /// @param mpidr its MPIDR_EL1, which has the affinity where GICD_IROUTER has it
  public static long affinityValue(long mpidr) {
    return AFF0.place(GicdRegisters.AFF0.get(mpidr))
        | AFF1.place(GicdRegisters.AFF1.get(mpidr))
        | AFF2.place(GicdRegisters.AFF2.get(mpidr))
        | AFF3.place(GicdRegisters.AFF3.get(mpidr));
  }
}
