package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Records of the page-request queue: two doublewords each.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.3.
public final class PageRequestLayout {
  private PageRequestLayout() {}

  public static final int BYTES = 16;

  private static final Layout FIRST_L = Layout.lsb0("page request", 8);
  private static final Layout PAYLOAD_L = Layout.lsb0("page request payload", 8);

  // spotless:off
  public static final Field PID       = FIRST_L.bits("PID",    31, 12);
  public static final Field PV        = FIRST_L.bit ("PV",     32);
  public static final Field PRIV      = FIRST_L.bit ("PRIV",   33);
  public static final Field EXEC      = FIRST_L.bit ("EXEC",   34);
  public static final Field DID       = FIRST_L.bits("DID",    63, 40);
  public static final Layout FIRST    = FIRST_L.res0(11, 0).res0(39, 35).seal();

  public static final Field R         = PAYLOAD_L.bit ("R",     0);
  public static final Field W         = PAYLOAD_L.bit ("W",     1);
  public static final Field L         = PAYLOAD_L.bit ("L",     2);
  public static final Field GROUP     = PAYLOAD_L.bits("Page Request Group Index", 11, 3);
  public static final Field ADDRESS   = PAYLOAD_L.address("Page Address", 63, 12);
  public static final Layout PAYLOAD  = PAYLOAD_L.seal();
  // spotless:on
}
