package dev.doorbell.hw.papr;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The word by which RTAS calls name a function, and a register of its.
///
/// **Source**: LoPAPR 1.1, 7.3.4 (`config_addr` of ibm,read-pci-config).
public final class ConfigAddressLayout {
  private static final Layout L = Layout.lsb0("config_addr", 4);

  // spotless:off
  public static final Field REGISTER_LOW  = L.bits("register",           0,  7);
  public static final Field RID           = L.bits("bus device function", 8, 23);
  public static final Field REGISTER_HIGH = L.bits("register high",     28, 31);
  public static final Layout LAYOUT       = L.ignored(24, 27).seal();
  // spotless:on

  private ConfigAddressLayout() {}
}
