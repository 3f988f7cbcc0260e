package dev.doorbell.hw.gicv3;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The Distributor's registers, as a GIC with one Security state has them (GICD_CTLR.DS is 1) with affinity routing.
///
/// Arrays start at interrupt 0; with affinity routing their first elements, which belong to SGIs and PPIs, are RES0
/// here and live in each Redistributor. Source: IHI 0069 H, 12.8 and 12.9.
public final class GicdRegisters {
  /// Bytes of the window.
  public static final long BYTES = 0x10000;

  /// First SPI, and one past the last.
  public static final int FIRST_SPI = 32;

  public static final int SPI_LIMIT = 1020;

  private static final Layout CTLR_L = Layout.lsb0("GICD_CTLR", 4);
  private static final Layout TYPER_L = Layout.lsb0("GICD_TYPER", 4);
  private static final Layout TYPER2_L = Layout.lsb0("GICD_TYPER2", 4);
  private static final Layout IIDR_L = Layout.lsb0("GICD_IIDR", 4);
  private static final Layout STATUSR_L = Layout.lsb0("GICD_STATUSR", 4);
  private static final Layout SETSPI_L = Layout.lsb0("GICD_SETSPI_NSR", 4);
  private static final Layout IROUTER_L = Layout.lsb0("GICD_IROUTER", 8);
  private static final Layout PIDR2_L = Layout.lsb0("GICD_PIDR2", 4);
  private static final Layout ONE_BIT_L = Layout.lsb0("one bit an interrupt", 4);
  private static final Layout TWO_BITS_L = Layout.lsb0("two bits an interrupt", 4);
  private static final Layout PRIORITY_L = Layout.lsb0("GICD_IPRIORITYR", 4);
  private static final Layout RAZ_L = Layout.lsb0("RAZ", 4);

  private static final ValueNames ARCH = ValueNames.of(3, "GICv3", 4, "GICv4");

  // spotless:off
  public static final Field ENABLE_GRP0  = CTLR_L.bit ("EnableGrp0",   0);
  public static final Field ENABLE_GRP1  = CTLR_L.bit ("EnableGrp1",   1);
  public static final Field ARE          = CTLR_L.bit ("ARE",          4);
  public static final Field DS           = CTLR_L.bit ("DS",           6);
  public static final Field E1NWF        = CTLR_L.bit ("E1NWF",        7);
  public static final Field NASSGI_REQ   = CTLR_L.bit ("nASSGIreq",    8);
  public static final Field RWP          = CTLR_L.bit ("RWP",         31);
  public static final Layout CTLR_LAYOUT = CTLR_L.res0(3, 2).res0(5, 5).res0(30, 9).seal();

  public static final Field ITLINES_NUMBER = TYPER_L.bits("ITLinesNumber",  4,  0);
  public static final Field CPU_NUMBER     = TYPER_L.bits("CPUNumber",      7,  5);
  public static final Field ESPI           = TYPER_L.bit ("ESPI",           8);
  public static final Field NMI            = TYPER_L.bit ("NMI",            9);
  public static final Field SECURITY_EXTN  = TYPER_L.bit ("SecurityExtn",  10);
  public static final Field NUM_LPIS       = TYPER_L.bits("num_LPIs",      15, 11);
  public static final Field MBIS           = TYPER_L.bit ("MBIS",          16);
  public static final Field LPIS           = TYPER_L.bit ("LPIS",          17);
  public static final Field DVIS           = TYPER_L.bit ("DVIS",          18);
  public static final Field ID_BITS        = TYPER_L.bits("IDbits",        23, 19);
  public static final Field A3V            = TYPER_L.bit ("A3V",           24);
  public static final Field NO_1N          = TYPER_L.bit ("No1N",          25);
  public static final Field RSS            = TYPER_L.bit ("RSS",           26);
  public static final Field ESPI_RANGE     = TYPER_L.bits("ESPI_range",    31, 27);
  public static final Layout TYPER_LAYOUT  = TYPER_L.seal();

  public static final Field VID            = TYPER2_L.bits("VID",           4,  0);
  public static final Field VIL            = TYPER2_L.bit ("VIL",           7);
  public static final Field NASSGI_CAP     = TYPER2_L.bit ("nASSGIcap",     8);
  public static final Layout TYPER2_LAYOUT = TYPER2_L.res0(6, 5).res0(31, 9).seal();

  public static final Field IMPLEMENTER    = IIDR_L.bits("Implementer",   11,  0);
  public static final Field REVISION       = IIDR_L.bits("Revision",      15, 12);
  public static final Field VARIANT        = IIDR_L.bits("Variant",       19, 16);
  public static final Field PRODUCT_ID     = IIDR_L.bits("ProductID",     31, 24);
  public static final Layout IIDR_LAYOUT   = IIDR_L.res0(23, 20).seal();

  public static final Field RRD            = STATUSR_L.bit("RRD",  0);
  public static final Field WRD            = STATUSR_L.bit("WRD",  1);
  public static final Field RWOD           = STATUSR_L.bit("RWOD", 2);
  public static final Field WROD           = STATUSR_L.bit("WROD", 3);
  public static final Layout STATUSR_LAYOUT = STATUSR_L.res0(31, 4).seal();

  public static final Field SPI_INTID      = SETSPI_L.bits("INTID", 12, 0);
  public static final Layout SETSPI_LAYOUT = SETSPI_L.res0(31, 13).seal();

  public static final Field AFF0           = IROUTER_L.bits("Aff0",  7,  0);
  public static final Field AFF1           = IROUTER_L.bits("Aff1", 15,  8);
  public static final Field AFF2           = IROUTER_L.bits("Aff2", 23, 16);
  public static final Field IRM            = IROUTER_L.bit ("Interrupt_Routing_Mode", 31);
  public static final Field AFF3           = IROUTER_L.bits("Aff3", 39, 32);
  public static final Layout IROUTER_LAYOUT = IROUTER_L.res0(30, 24).res0(63, 40).seal();

  public static final Field ARCH_REV       = PIDR2_L.bits("ArchRev", 7, 4, ARCH);
  public static final Layout PIDR2_LAYOUT  = PIDR2_L.impdef(3, 0).res0(31, 8).seal();

  /// One bit an interrupt: IGROUPR, IS/ICENABLER, IS/ICPENDR, IS/ICACTIVER, IGRPMODR.
  public static final Field ONE_BIT        = ONE_BIT_L.bits("bit n: INTID 32m+n", 31, 0);
  public static final Layout ONE_BIT_LAYOUT = ONE_BIT_L.seal();

  /// Two bits an interrupt: in GICD_ICFGR the upper one is 1 for edge-triggered and the lower one is RES0.
  public static final Field TWO_BITS       = TWO_BITS_L.bits("bits 2n+1:2n: INTID 16m+n", 31, 0);
  public static final Layout TWO_BITS_LAYOUT = TWO_BITS_L.seal();

  public static final Field PRIORITY_0     = PRIORITY_L.bits("Priority_offset_0B",  7,  0);
  public static final Field PRIORITY_1     = PRIORITY_L.bits("Priority_offset_1B", 15,  8);
  public static final Field PRIORITY_2     = PRIORITY_L.bits("Priority_offset_2B", 23, 16);
  public static final Field PRIORITY_3     = PRIORITY_L.bits("Priority_offset_3B", 31, 24);
  public static final Layout PRIORITY_LAYOUT = PRIORITY_L.seal();

  private static final Layout RAZ_LAYOUT   = RAZ_L.res0(31, 0).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("GICD", BYTES);
  public static final Register CTLR       = B.register("GICD_CTLR",       0x0000, Access.rw(ENABLE_GRP0.mask() | ENABLE_GRP1.mask() | ARE.mask()), CTLR_LAYOUT, DS.mask());
  public static final Register TYPER      = B.register("GICD_TYPER",      0x0004, Access.RO, TYPER_LAYOUT);
  public static final Register IIDR       = B.register("GICD_IIDR",       0x0008, Access.RO, IIDR_LAYOUT);
  public static final Register TYPER2     = B.register("GICD_TYPER2",     0x000c, Access.RO, TYPER2_LAYOUT);
  public static final Register STATUSR    = B.register("GICD_STATUSR",    0x0010, Access.RO.andW1c(0xf), STATUSR_LAYOUT);
  public static final Register SETSPI_NSR = B.register("GICD_SETSPI_NSR", 0x0040, Access.WO, SETSPI_LAYOUT);
  public static final Register CLRSPI_NSR = B.register("GICD_CLRSPI_NSR", 0x0048, Access.WO, SETSPI_LAYOUT);
  public static final Register SETSPI_SR  = B.register("GICD_SETSPI_SR",  0x0050, Access.WO, SETSPI_LAYOUT);
  public static final Register CLRSPI_SR  = B.register("GICD_CLRSPI_SR",  0x0058, Access.WO, SETSPI_LAYOUT);
  public static final Register IGROUPR    = B.array("GICD_IGROUPR",    0x0080,  32, Access.RW,  ONE_BIT_LAYOUT);
  public static final Register ISENABLER  = B.array("GICD_ISENABLER",  0x0100,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICENABLER  = B.array("GICD_ICENABLER",  0x0180,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register ISPENDR    = B.array("GICD_ISPENDR",    0x0200,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICPENDR    = B.array("GICD_ICPENDR",    0x0280,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register ISACTIVER  = B.array("GICD_ISACTIVER",  0x0300,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICACTIVER  = B.array("GICD_ICACTIVER",  0x0380,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register IPRIORITYR = B.array("GICD_IPRIORITYR", 0x0400, 255, Access.RW,  PRIORITY_LAYOUT);
  public static final Register ITARGETSR  = B.array("GICD_ITARGETSR",  0x0800, 255, Access.RO,  RAZ_LAYOUT);
  public static final Register ICFGR      = B.array("GICD_ICFGR",      0x0c00,  64, Access.RW,  TWO_BITS_LAYOUT);
  public static final Register IGRPMODR   = B.array("GICD_IGRPMODR",   0x0d00,  32, Access.RO,  ONE_BIT_LAYOUT);
  public static final Register NSACR      = B.array("GICD_NSACR",      0x0e00,  64, Access.RO,  TWO_BITS_LAYOUT);
  public static final Register SGIR       = B.register("GICD_SGIR",    0x0f00, Access.RO, RAZ_LAYOUT);
  public static final Register CPENDSGIR  = B.array("GICD_CPENDSGIR",  0x0f10,   4, Access.RO,  RAZ_LAYOUT);
  public static final Register SPENDSGIR  = B.array("GICD_SPENDSGIR",  0x0f20,   4, Access.RO,  RAZ_LAYOUT);
  public static final Register INMIR      = B.array("GICD_INMIR",      0x0f80,  32, Access.RO,  ONE_BIT_LAYOUT);
  public static final Register IGROUPR_E    = B.array("GICD_IGROUPR<n>E",    0x1000,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ISENABLER_E  = B.array("GICD_ISENABLER<n>E",  0x1200,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ICENABLER_E  = B.array("GICD_ICENABLER<n>E",  0x1400,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ISPENDR_E    = B.array("GICD_ISPENDR<n>E",    0x1600,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ICPENDR_E    = B.array("GICD_ICPENDR<n>E",    0x1800,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ISACTIVER_E  = B.array("GICD_ISACTIVER<n>E",  0x1a00,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register ICACTIVER_E  = B.array("GICD_ICACTIVER<n>E",  0x1c00,  32, Access.RO, ONE_BIT_LAYOUT);
  public static final Register IPRIORITYR_E = B.array("GICD_IPRIORITYR<n>E", 0x2000, 256, Access.RO, PRIORITY_LAYOUT);
  public static final Register ICFGR_E      = B.array("GICD_ICFGR<n>E",      0x3000,  64, Access.RO, TWO_BITS_LAYOUT);
  /// Starts at interrupt 0; elements 0 to 31 are reserved.
  public static final Register IROUTER    = B.array("GICD_IROUTER",     0x6000, 1020, Access.rw(AFF0.mask() | AFF1.mask() | AFF2.mask() | IRM.mask() | AFF3.mask()), IROUTER_LAYOUT);
  public static final Register IROUTER_E  = B.array("GICD_IROUTER<n>E", 0x8000, 1024, Access.RO, IROUTER_LAYOUT);
  public static final Register PIDR2      = B.register("GICD_PIDR2",    0xffe8, Access.RO, PIDR2_LAYOUT);
  public static final RegisterMap MAP     = B.seal();
  // spotless:on

  private GicdRegisters() {}
}
