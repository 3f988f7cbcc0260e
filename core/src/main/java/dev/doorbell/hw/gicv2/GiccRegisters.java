package dev.doorbell.hw.gicv2;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// A CPU interface's registers, as a Secure access or one to a GIC without Security Extensions sees them. Each processor finds its own
/// interface at the same address. A Non-secure access sees GICC_CTLR.EnableGrp1 in bit 0.
///
/// Source: IHI 0048B.b, 4.1.3 and 4.4.
public final class GiccRegisters {
  /// Bytes of the window.
  public static final long BYTES = 0x2000;

  /// What GICC_IAR answers when nothing can be taken, and when only an interrupt of Group 1 can that AckCtl keeps back.
  public static final int SPURIOUS = 1023;

  public static final int GROUP1_WAITS = 1022;

  private static final Layout CTLR_L = Layout.lsb0("GICC_CTLR", 4);
  private static final Layout PMR_L = Layout.lsb0("GICC_PMR", 4);
  private static final Layout BPR_L = Layout.lsb0("GICC_BPR", 4);
  private static final Layout IAR_L = Layout.lsb0("GICC_IAR", 4);
  private static final Layout RPR_L = Layout.lsb0("GICC_RPR", 4);
  private static final Layout APR_L = Layout.lsb0("GICC_APR", 4);
  private static final Layout IIDR_L = Layout.lsb0("GICC_IIDR", 4);

  // spotless:off
  public static final Field ENABLE_GRP0       = CTLR_L.bit ("EnableGrp0",      0);
  public static final Field ENABLE_GRP1       = CTLR_L.bit ("EnableGrp1",      1);
  public static final Field ACK_CTL           = CTLR_L.bit ("AckCtl",          2);
  public static final Field FIQ_EN            = CTLR_L.bit ("FIQEn",           3);
  public static final Field CBPR              = CTLR_L.bit ("CBPR",            4);
  public static final Field FIQ_BYP_DIS_GRP0  = CTLR_L.bit ("FIQBypDisGrp0",   5);
  public static final Field IRQ_BYP_DIS_GRP0  = CTLR_L.bit ("IRQBypDisGrp0",   6);
  public static final Field FIQ_BYP_DIS_GRP1  = CTLR_L.bit ("FIQBypDisGrp1",   7);
  public static final Field IRQ_BYP_DIS_GRP1  = CTLR_L.bit ("IRQBypDisGrp1",   8);
  public static final Field EOI_MODE_S        = CTLR_L.bit ("EOImodeS",        9);
  public static final Field EOI_MODE_NS       = CTLR_L.bit ("EOImodeNS",      10);
  public static final Layout CTLR_LAYOUT      = CTLR_L.res0(31, 11).seal();

  public static final Field PRIORITY          = PMR_L.bits ("Priority",        7,  0);
  public static final Layout PMR_LAYOUT       = PMR_L.res0(31, 8).seal();

  public static final Field BINARY_POINT      = BPR_L.bits ("Binary point",    2,  0);
  public static final Layout BPR_LAYOUT       = BPR_L.res0(31, 3).seal();

  /// Of IAR, EOIR, HPPIR, their aliases, and DIR.
  public static final Field INTERRUPT_ID      = IAR_L.bits ("Interrupt ID",    9,  0);
  public static final Field CPUID             = IAR_L.bits ("CPUID",          12, 10);
  public static final Layout IAR_LAYOUT       = IAR_L.res0(31, 13).seal();

  public static final Field RUNNING_PRIORITY  = RPR_L.bits ("Priority",        7,  0);
  public static final Layout RPR_LAYOUT       = RPR_L.res0(31, 8).seal();

  public static final Field ACTIVE_PRIORITIES = APR_L.bits ("active priorities", 31, 0);
  public static final Layout APR_LAYOUT       = APR_L.seal();

  public static final Field IMPLEMENTER       = IIDR_L.bits("Implementer",          11,  0);
  public static final Field REVISION          = IIDR_L.bits("Revision",             15, 12);
  public static final Field ARCH_VERSION      = IIDR_L.bits("Architecture version", 19, 16);
  public static final Field PRODUCT_ID        = IIDR_L.bits("ProductID",            31, 20);
  public static final Layout IIDR_LAYOUT      = IIDR_L.seal();

  private static final long CTLR_WRITABLE = CTLR_LAYOUT.mask(dev.doorbell.bits.BitKind.FIELD);

  private static final RegisterMap.Builder B = RegisterMap.named("GICC", BYTES);
  public static final Register CTLR   = B.register("GICC_CTLR",   0x0000, Access.rw(CTLR_WRITABLE), CTLR_LAYOUT);
  public static final Register PMR    = B.register("GICC_PMR",    0x0004, Access.rw(PRIORITY.mask()), PMR_LAYOUT);
  public static final Register BPR    = B.register("GICC_BPR",    0x0008, Access.rw(BINARY_POINT.mask()), BPR_LAYOUT);
  public static final Register IAR    = B.register("GICC_IAR",    0x000c, Access.RO, IAR_LAYOUT);
  public static final Register EOIR   = B.register("GICC_EOIR",   0x0010, Access.WO, IAR_LAYOUT);
  public static final Register RPR    = B.register("GICC_RPR",    0x0014, Access.RO, RPR_LAYOUT);
  public static final Register HPPIR  = B.register("GICC_HPPIR",  0x0018, Access.RO, IAR_LAYOUT);
  public static final Register ABPR   = B.register("GICC_ABPR",   0x001c, Access.rw(BINARY_POINT.mask()), BPR_LAYOUT);
  public static final Register AIAR   = B.register("GICC_AIAR",   0x0020, Access.RO, IAR_LAYOUT);
  public static final Register AEOIR  = B.register("GICC_AEOIR",  0x0024, Access.WO, IAR_LAYOUT);
  public static final Register AHPPIR = B.register("GICC_AHPPIR", 0x0028, Access.RO, IAR_LAYOUT);
  public static final Register APR    = B.array   ("GICC_APR",    0x00d0, 4, Access.RW, APR_LAYOUT);
  public static final Register NSAPR  = B.array   ("GICC_NSAPR",  0x00e0, 4, Access.RW, APR_LAYOUT);
  public static final Register IIDR   = B.register("GICC_IIDR",   0x00fc, Access.RO, IIDR_LAYOUT);
  public static final Register DIR    = B.register("GICC_DIR",    0x1000, Access.WO, IAR_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private GiccRegisters() {}
}
