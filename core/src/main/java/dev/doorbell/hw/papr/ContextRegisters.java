package dev.doorbell.hw.papr;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The context of a guest's processor in its page of the thread interrupt management area (TIMA): the ring of the operating system (QW1). Bit 0 is the most
/// significant.
///
/// **Source**: Linux 6.12 `arch/powerpc/include/asm/xive-regs.h` (`TM_QW1_OS`, `TM_SPC_ACK_OS_REG`).
public final class ContextRegisters {
  public static final long BYTES = 0x1_0000;

  /// Lowest priority, and CPPR that lets all through.
  public static final int LEAST_FAVORED = 0xff;

  private static final Layout NSR_L = Layout.msb0("QW1 NSR", 1);
  private static final Layout BYTE_L = Layout.msb0("QW1 byte", 1);
  private static final Layout ACK_L = Layout.msb0("ACK_OS_REG", 2);

  // spotless:off
  public static final Field EO           = NSR_L.bit ("EO",       0);
  public static final Layout NSR_LAYOUT  = NSR_L.res0(1, 7).seal();

  public static final Field PRIORITY     = BYTE_L.bits("priority", 0, 7);
  public static final Layout BYTE_LAYOUT = BYTE_L.seal();

  public static final Field ACK_EO       = ACK_L.bit ("EO",   0);
  public static final Field ACK_CPPR     = ACK_L.bits("CPPR", 8, 15);
  public static final Layout ACK_LAYOUT  = ACK_L.res0(1, 7).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("TIMA, operating system", BYTES);
  public static final Register NSR  = B.register("TM_QW1_NSR",        0x010, Access.RO, NSR_LAYOUT);
  public static final Register CPPR = B.register("TM_QW1_CPPR",       0x011, Access.RW, BYTE_LAYOUT);
  public static final Register IPB  = B.register("TM_QW1_IPB",        0x012, Access.RO, BYTE_LAYOUT);
  public static final Register PIPR = B.register("TM_QW1_PIPR",       0x017, Access.RO, BYTE_LAYOUT);
  public static final Register ACK  = B.register("TM_SPC_ACK_OS_REG", 0x810, Access.RO, ACK_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private ContextRegisters() {}
}
