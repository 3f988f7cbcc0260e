package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Flag bytes of the DMA Remapping table and its structures, and what of a remapping unit's capability registers a kernel's log tells.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.1 to 8.9 (DMAR), 11.4.2 (CAP_REG) and 11.4.3 (ECAP_REG).
public final class DmarLayout {
  private DmarLayout() {}

  /// Offset of the table's host address width, in bits less one.
  public static final int WIDTH_AT = 36;

  /// Offset of the table's flags.
  public static final int FLAGS_AT = 37;

  /// Bit n of CAP_REG.SAGAW says that tables of n + 2 levels can be walked, for 30 + 9 n bits of address.
  static final int FIRST_WIDTH = 30;

  /// Bits of address that one more level of tables adds.
  static final int BITS_PER_LEVEL = 9;

  private static final Layout DMAR = Layout.lsb0("DMAR.Flags", 1);
  private static final Layout DRHD = Layout.lsb0("DRHD.Flags", 1);
  private static final Layout DRHD_SIZE = Layout.lsb0("DRHD.Size", 1);
  private static final Layout CAP = Layout.lsb0("CAP_REG", 8);
  private static final Layout ECAP = Layout.lsb0("ECAP_REG", 8);

  // spotless:off
  public static final Field INTR_REMAP       = DMAR.bit ("INTR_REMAP",                  0);
  public static final Field X2APIC_OPT_OUT   = DMAR.bit ("X2APIC_OPT_OUT",              1);
  public static final Field DMA_CTRL_OPT_IN  = DMAR.bit ("DMA_CTRL_PLATFORM_OPT_IN_FLAG", 2);
  static final Field INCLUDE_PCI_ALL         = DRHD.bit ("INCLUDE_PCI_ALL",             0);
  static final Field SIZE                    = DRHD_SIZE.bits("Size",                   3, 0);
  static final Field CAP_SAGAW               = CAP.bits ("SAGAW",                      12, 8);
  static final Field CAP_MGAW                = CAP.bits ("MGAW",                       21, 16);
  public static final Field ECAP_IR          = ECAP.bit ("IR",                          3);
  public static final Field ECAP_EIM         = ECAP.bit ("EIM",                         4);
  // spotless:on

  public static final Layout FLAGS = DMAR.res0(3, 7).seal();
  static final Layout DRHD_FLAGS = DRHD.res0(1, 7).seal();
  static final Layout DRHD_SIZE_BYTE = DRHD_SIZE.res0(4, 7).seal();
  static final Layout CAPABILITY = CAP.software(0, 7).software(13, 15).software(22, 63).seal();
  public static final Layout EXTENDED_CAPABILITY = ECAP.software(0, 2).software(5, 63).seal();
}
