package dev.doorbell.qemu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// Extended interrupt registers of the Intel 82576 (8086:10c9, QEMU's `igb`), BAR 0.
///
/// **Source**: Intel 82576EB Gigabit Ethernet Controller datasheet 2.63, 8.8.1 to 8.8.7 (EICR to EIAC), 8.8.14 (GPIE).
public final class IgbLayout {
  public static final int VENDOR = 0x8086;
  public static final int DEVICE = 0x10c9;

  private static final RegisterMap.Builder M = RegisterMap.named("82576 BAR 0", 0x20000);
  private static final Layout CAUSES_L = Layout.lsb0("extended interrupt causes", 4);
  private static final Layout GPIE_L = Layout.lsb0("GPIE", 4);

  // spotless:off
  /// In MSI-X mode each bit is the vector of its number.
  public static final Field VECTORS    = CAUSES_L.bits("MSI-X vectors", 24, 0);
  public static final Field NSICR      = GPIE_L.bit("NSICR", 0);
  public static final Field MULTIPLE_MSIX = GPIE_L.bit("Multiple_MSIX", 4);
  public static final Field LL_INTERVAL = GPIE_L.bits("LL Interval", 11, 7);
  public static final Field EIAME      = GPIE_L.bit("EIAME", 30);
  public static final Field PBA_SUPPORT = GPIE_L.bit("PBA_support", 31);

  public static final Register GPIE = M.register("GPIE", 0x1514, Access.RW, GPIE_L.res0(3, 1).res0(6, 5).res0(29, 12).seal());
  public static final Register EICS = M.register("EICS", 0x1520, Access.WO, CAUSES_L.res0(31, 25).seal());
  public static final Register EIMS = M.register("EIMS", 0x1524, Access.RW, CAUSES_L);
  public static final Register EIMC = M.register("EIMC", 0x1528, Access.WO, CAUSES_L);
  public static final Register EIAC = M.register("EIAC", 0x152c, Access.RW, CAUSES_L);
  public static final Register EICR = M.register("EICR", 0x1580, Access.RO.andW1c(0xffff_ffffL), CAUSES_L);
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private IgbLayout() {}
}
