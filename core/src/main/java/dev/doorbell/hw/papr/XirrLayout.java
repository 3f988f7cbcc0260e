package dev.doorbell.hw.papr;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// What H_XIRR tells and H_EOI takes: a priority, and the interrupt that is presented. Bit 0 is the most significant.
///
/// **Source**: LoPAPR 1.1, 14.5.4.3.
public final class XirrLayout {
  private static final Layout L = Layout.msb0("XIRR", 4);

  // spotless:off
  public static final Field CPPR    = L.bits("CPPR", 0,  7);
  public static final Field XISR    = L.bits("XISR", 8, 31);
  public static final Layout LAYOUT = L.seal();
  // spotless:on

  /// A priority that lets everything through that has one.
  public static final int LEAST_FAVORED = 0xff;

  /// The number under which another processor's request is presented.
  public static final int IPI = 2;

  private XirrLayout() {}
}
