package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// What of the Power Management capability tells whether a function answers to memory accesses.
///
/// **Source**: PCI Express Base 6.0, 7.5.2.2 (PMCSR), 5.3.1 (device power states).
public final class PowerLayout {
  private static final RegisterMap.Builder M = RegisterMap.named("Power Management", 0x08);

  private static final Layout CONTROL_L = Layout.lsb0("Power Management Control/Status", 2);

  // spotless:off
  /// 0 to 3: D0, D1, D2, D3hot. Only in D0 a function answers to memory accesses.
  public static final Field POWER_STATE = CONTROL_L.bits("PowerState", 1, 0);
  public static final Field NO_SOFT_RESET = CONTROL_L.bit("No Soft Reset", 3);
  public static final Field PME_ENABLE  = CONTROL_L.bit("PME Enable", 8);
  public static final Field DATA_SELECT = CONTROL_L.bits("Data Select", 12, 9);
  public static final Field DATA_SCALE  = CONTROL_L.bits("Data Scale", 14, 13);
  public static final Field PME_STATUS  = CONTROL_L.bit("PME Status", 15);

  public static final Register CONTROL  = M.register("Power Management Control/Status", 0x04, Access.rw(0x1f03).andW1c(0x8000), CONTROL_L.res0(2, 2).res0(7, 4).seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private PowerLayout() {}
}
