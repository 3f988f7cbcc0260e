package dev.doorbell.hw.xics;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The page of one presentation controller. Big-endian; bit 0 is the most significant.
public final class IcpRegisters {
  public static final long BYTES = 0x1000;

  /// CPPR that lets all through that has a priority.
  public static final int LEAST_FAVORED = 0xff;

  /// XISR of a processor's own request, which MFRR makes.
  public static final int REQUEST = 2;

  private static final Layout L = Layout.msb0("XIRR", 4);
  private static final Layout M = Layout.msb0("MFRR", 1);

  // spotless:off
  public static final Field CPPR    = L.bits("CPPR", 0,  7);
  public static final Field XISR    = L.bits("XISR", 8, 31);
  public static final Layout LAYOUT = L.seal();

  public static final Field PRIORITY     = M.bits("priority", 0, 7);
  public static final Layout MFRR_LAYOUT = M.seal();

  private static final RegisterMap.Builder B = RegisterMap.named("ICP", BYTES);
  /// Reads as {@link #XIRR} without taking anything.
  public static final Register POLL = B.register("XIRR_POLL", 0x0, Access.RO, LAYOUT);
  /// A read takes an interrupt, and raises CPPR to its priority; a write ends it, and sets CPPR.
  public static final Register XIRR = B.register("XIRR",      0x4, Access.RW, LAYOUT);
  /// The priority at which processors request one another's attention; {@link #LEAST_FAVORED} for none. It stays when the request is taken.
  public static final Register MFRR = B.register("MFRR",      0xc, Access.RW, MFRR_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private IcpRegisters() {}
}
