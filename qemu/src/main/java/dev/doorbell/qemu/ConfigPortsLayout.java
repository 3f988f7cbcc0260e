package dev.doorbell.qemu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The PC's two ports for configuration spaces: an address in one, a function's register in the other.
///
/// **Source**: PCI Local Bus 3.0, 3.2.2.3.2 (software generation of configuration transactions), figure 3-2.
public final class ConfigPortsLayout {
  private static final Layout L = Layout.lsb0("CONFIG_ADDRESS", 4);

  // spotless:off
  public static final Field ENABLE   = L.bit("Enable", 31);
  public static final Field BUS      = L.bits("Bus Number", 23, 16);
  public static final Field DEVICE   = L.bits("Device Number", 15, 11);
  public static final Field FUNCTION = L.bits("Function Number", 10, 8);
  public static final Field REGISTER = L.bits("Register Number", 7, 2);
  // spotless:on

  public static final Layout ADDRESS = L.res0(30, 24).res0(1, 0).seal();

  /// Port of CONFIG_ADDRESS.
  public static final int ADDRESS_PORT = 0xcf8;

  /// Port of CONFIG_DATA's first byte.
  public static final int DATA_PORT = 0xcfc;

  /// Bytes of a configuration space that the ports reach.
  public static final int REACH = 256;

  private ConfigPortsLayout() {}
}
