package dev.doorbell.pci;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The offset of a register within an ECAM window whose first byte is bus 0's.
///
/// **Source**: PCI Express Base 6.0, 7.2.2, table 7-1.
public final class EcamLayout {
  private static final Layout L = Layout.lsb0("ECAM offset", 4);

  // spotless:off
  public static final Field BUS      = L.bits("Bus Number", 27, 20);
  public static final Field DEVICE   = L.bits("Device Number", 19, 15);
  public static final Field FUNCTION = L.bits("Function Number", 14, 12);
  public static final Field REGISTER = L.bits("Extended Register and Register Number", 11, 0);
  // spotless:on

  public static final Layout LAYOUT = L.res0(31, 28).seal();

  /// The last byte of a window of 256 buses.
  public static final long LAST = BUS.mask() | DEVICE.mask() | FUNCTION.mask() | REGISTER.mask();

  private EcamLayout() {}
}
