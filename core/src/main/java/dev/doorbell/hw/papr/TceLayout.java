package dev.doorbell.hw.papr;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// A translation control entry (TCE) as calls pass it in a register: a page of the guest's and what may be done to it. Bit 0 is the most significant.
///
/// **Source**: LoPAPR 1.1, 14.5.4.2.
public final class TceLayout {
  private static final Layout L = Layout.msb0("TCE", 8);

  // spotless:off
  public static final Field RPN     = L.address("RPN", 0, 51);
  public static final Field WRITE   = L.bit    ("W",      62);
  public static final Field READ    = L.bit    ("R",      63);
  public static final Layout LAYOUT = L.ignored(52, 61).seal();
  // spotless:on

  /// Nothing may be done.
  public static final long NONE = 0;

  private TceLayout() {}
}
