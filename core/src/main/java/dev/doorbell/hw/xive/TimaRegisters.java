package dev.doorbell.hw.xive;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The context of a hardware thread in a page of the thread interrupt management area (TIMA): the ring of the hypervisor (QW3). Bit 0 is the most
/// significant.
public final class TimaRegisters {
  public static final long BYTES = 0x1000;

  /// Lowest priority, and CPPR that lets all through.
  public static final int LEAST_FAVORED = 0xff;

  public static final int NONE = 0;
  public static final int PHYS = 2;

  private static final Layout NSR_L = Layout.msb0("QW3 NSR", 1);
  private static final Layout BYTE_L = Layout.msb0("QW3 byte", 1);
  private static final Layout VALID_L = Layout.msb0("QW3W2", 1);
  private static final Layout ACK_L = Layout.msb0("ACK_HV_REG", 2);

  // spotless:off
  public static final Field HE             = NSR_L.bits("HE",      0, 1, ValueNames.of(NONE, "none", 1, "pool", PHYS, "physical thread", 3, "LSI"));
  public static final Field I              = NSR_L.bit ("I",          2);
  public static final Field GRP_LVL        = NSR_L.bits("GRP_LVL", 3, 7);
  public static final Layout NSR_LAYOUT    = NSR_L.seal();

  public static final Field PRIORITY       = BYTE_L.bits("priority", 0, 7);
  public static final Layout BYTE_LAYOUT   = BYTE_L.seal();

  public static final Field VT             = VALID_L.bit("VT", 0);
  public static final Field LP             = VALID_L.bit("LP", 6);
  public static final Field LE             = VALID_L.bit("LE", 7);
  public static final Layout VALID_LAYOUT  = VALID_L.res0(1, 5).seal();

  public static final Field ACK_HE         = ACK_L.bits("HE",   0,  1);
  public static final Field ACK_NSR        = ACK_L.bits("NSR[2:7]", 2,  7);
  public static final Field ACK_CPPR       = ACK_L.bits("CPPR", 8, 15);
  public static final Layout ACK_LAYOUT    = ACK_L.seal();

  private static final RegisterMap.Builder B = RegisterMap.named("TIMA", BYTES);
  public static final Register NSR  = B.register("TM_QW3_NSR",        0x030, Access.RO, NSR_LAYOUT);
  public static final Register CPPR = B.register("TM_QW3_CPPR",       0x031, Access.RW, BYTE_LAYOUT);
  public static final Register IPB  = B.register("TM_QW3_IPB",        0x032, Access.RO, BYTE_LAYOUT);
  public static final Register PIPR = B.register("TM_QW3_PIPR",       0x037, Access.RO, BYTE_LAYOUT);
  public static final Register W2   = B.register("TM_QW3_WORD2",      0x038, Access.RW, VALID_LAYOUT);
  public static final Register ACK  = B.register("TM_SPC_ACK_HV_REG", 0x830, Access.RO, ACK_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private TimaRegisters() {}
}
