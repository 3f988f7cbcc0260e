package dev.doorbell.hw.gicv2;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The Distributor's registers. Those of SGIs and PPIs (element 0 of the one-bit arrays, elements 0 to 7 of priorities and targets,
/// element 1 of ICFGR, all of the SGI pending registers) are banked: each processor sees its own.
///
/// Source: IHI 0048B.b, 4.1.2 and 4.3.
public final class GicdRegisters {
  /// Bytes of the window.
  public static final long BYTES = 0x1000;

  /// SGIs, PPIs from here, SPIs from here, and one past the last SPI.
  public static final int FIRST_PPI = 16;

  public static final int FIRST_SPI = 32;
  public static final int SPI_LIMIT = 1020;

  /// Processors that a GICv2 can have.
  public static final int MOST_CPUS = 8;

  private static final Layout CTLR_L = Layout.lsb0("GICD_CTLR", 4);
  private static final Layout TYPER_L = Layout.lsb0("GICD_TYPER", 4);
  private static final Layout IIDR_L = Layout.lsb0("GICD_IIDR", 4);
  private static final Layout SGIR_L = Layout.lsb0("GICD_SGIR", 4);
  private static final Layout PIDR2_L = Layout.lsb0("ICPIDR2", 4);
  private static final Layout ONE_BIT_L = Layout.lsb0("one bit an interrupt", 4);
  private static final Layout TWO_BITS_L = Layout.lsb0("two bits an interrupt", 4);
  private static final Layout BYTE_L = Layout.lsb0("one byte an interrupt", 4);

  private static final ValueNames ARCH =
      ValueNames.of(1, "GICv1", 2, "GICv2", 3, "GICv3", 4, "GICv4");
  private static final ValueNames FILTER =
      ValueNames.of(0, "the listed CPUs", 1, "all but the requester", 2, "the requester only");

  // spotless:off
  public static final Field ENABLE_GRP0   = CTLR_L.bit  ("EnableGrp0",     0);
  public static final Field ENABLE_GRP1   = CTLR_L.bit  ("EnableGrp1",     1);
  public static final Layout CTLR_LAYOUT  = CTLR_L.res0(31, 2).seal();

  public static final Field ITLINES_NUMBER = TYPER_L.bits("ITLinesNumber", 4,  0);
  public static final Field CPU_NUMBER    = TYPER_L.bits("CPUNumber",      7,  5);
  public static final Field SECURITY_EXTN = TYPER_L.bit ("SecurityExtn",  10);
  public static final Field LSPI          = TYPER_L.bits("LSPI",          15, 11);
  public static final Layout TYPER_LAYOUT = TYPER_L.res0(9, 8).res0(31, 16).seal();

  public static final Field IMPLEMENTER   = IIDR_L.bits ("Implementer",   11,  0);
  public static final Field REVISION      = IIDR_L.bits ("Revision",      15, 12);
  public static final Field VARIANT       = IIDR_L.bits ("Variant",       19, 16);
  public static final Field PRODUCT_ID    = IIDR_L.bits ("ProductID",     31, 24);
  public static final Layout IIDR_LAYOUT  = IIDR_L.res0(23, 20).seal();

  public static final Field SGIINTID      = SGIR_L.bits ("SGIINTID",       3,  0);
  public static final Field NSATT         = SGIR_L.bit  ("NSATT",         15);
  public static final Field TARGET_LIST   = SGIR_L.bits ("CPUTargetList", 23, 16);
  public static final Field TARGET_FILTER = SGIR_L.bits ("TargetListFilter", 25, 24, FILTER);
  public static final Layout SGIR_LAYOUT  = SGIR_L.res0(14, 4).res0(31, 26).seal();

  public static final Field ARCH_REV      = PIDR2_L.bits("ArchRev",        7,  4, ARCH);
  public static final Layout PIDR2_LAYOUT = PIDR2_L.impdef(3, 0).res0(31, 8).seal();

  /// One bit an interrupt: IGROUPR, IS/ICENABLER, IS/ICPENDR, IS/ICACTIVER.
  public static final Field ONE_BIT       = ONE_BIT_L.bits("bit n: interrupt 32m+n", 31, 0);
  public static final Layout ONE_BIT_LAYOUT = ONE_BIT_L.seal();

  /// Two bits an interrupt: in ICFGR the upper one is 1 for edge-triggered.
  public static final Field TWO_BITS      = TWO_BITS_L.bits("bits 2n+1:2n: interrupt 16m+n", 31, 0);
  public static final Layout TWO_BITS_LAYOUT = TWO_BITS_L.seal();

  /// One byte an interrupt: priorities, and targets with one bit a CPU; of the SGI pending registers one bit a source CPU.
  public static final Field BYTE_0        = BYTE_L.bits ("byte offset 0",  7,  0);
  public static final Field BYTE_1        = BYTE_L.bits ("byte offset 1", 15,  8);
  public static final Field BYTE_2        = BYTE_L.bits ("byte offset 2", 23, 16);
  public static final Field BYTE_3        = BYTE_L.bits ("byte offset 3", 31, 24);
  public static final Layout BYTE_LAYOUT  = BYTE_L.seal();

  private static final RegisterMap.Builder B = RegisterMap.named("GICD", BYTES);
  public static final Register CTLR       = B.register("GICD_CTLR",       0x000, Access.rw(ENABLE_GRP0.mask() | ENABLE_GRP1.mask()), CTLR_LAYOUT);
  public static final Register TYPER      = B.register("GICD_TYPER",      0x004, Access.RO, TYPER_LAYOUT);
  public static final Register IIDR       = B.register("GICD_IIDR",       0x008, Access.RO, IIDR_LAYOUT);
  public static final Register IGROUPR    = B.array   ("GICD_IGROUPR",    0x080,  32, Access.RW,  ONE_BIT_LAYOUT);
  public static final Register ISENABLER  = B.array   ("GICD_ISENABLER",  0x100,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICENABLER  = B.array   ("GICD_ICENABLER",  0x180,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register ISPENDR    = B.array   ("GICD_ISPENDR",    0x200,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICPENDR    = B.array   ("GICD_ICPENDR",    0x280,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register ISACTIVER  = B.array   ("GICD_ISACTIVER",  0x300,  32, Access.W1S, ONE_BIT_LAYOUT);
  public static final Register ICACTIVER  = B.array   ("GICD_ICACTIVER",  0x380,  32, Access.W1C, ONE_BIT_LAYOUT);
  public static final Register IPRIORITYR = B.array   ("GICD_IPRIORITYR", 0x400, 255, Access.RW,  BYTE_LAYOUT);
  public static final Register ITARGETSR  = B.array   ("GICD_ITARGETSR",  0x800, 255, Access.RW,  BYTE_LAYOUT);
  public static final Register ICFGR      = B.array   ("GICD_ICFGR",      0xc00,  64, Access.RW,  TWO_BITS_LAYOUT);
  public static final Register NSACR      = B.array   ("GICD_NSACR",      0xe00,  64, Access.RO,  TWO_BITS_LAYOUT);
  public static final Register SGIR       = B.register("GICD_SGIR",       0xf00, Access.WO, SGIR_LAYOUT);
  public static final Register CPENDSGIR  = B.array   ("GICD_CPENDSGIR",  0xf10,   4, Access.W1C, BYTE_LAYOUT);
  public static final Register SPENDSGIR  = B.array   ("GICD_SPENDSGIR",  0xf20,   4, Access.W1S, BYTE_LAYOUT);
  public static final Register PIDR2      = B.register("ICPIDR2",         0xfe8, Access.RO, PIDR2_LAYOUT);
  public static final RegisterMap MAP     = B.seal();
  // spotless:on

  private GicdRegisters() {}
}
