package dev.doorbell.doctor;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// What of the DMA Remapping table and of a remapping unit's Extended Capability Register bears on interrupts.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.1 (DMAR) and 11.4.3 (ECAP_REG).
final class DmarLayout {
  private DmarLayout() {}

  /// Offset of the table's flags.
  static final int FLAGS_AT = 37;

  private static final Layout DMAR = Layout.lsb0("DMAR.Flags", 1);
  private static final Layout ECAP = Layout.lsb0("ECAP_REG", 8);

  // spotless:off
  static final Field INTR_REMAP              = DMAR.bit ("INTR_REMAP",                  0);
  static final Field X2APIC_OPT_OUT          = DMAR.bit ("X2APIC_OPT_OUT",              1);
  static final Field DMA_CTRL_OPT_IN         = DMAR.bit ("DMA_CTRL_PLATFORM_OPT_IN_FLAG", 2);
  static final Field ECAP_IR                 = ECAP.bit ("IR",                          3);
  static final Field ECAP_EIM                = ECAP.bit ("EIM",                         4);
  // spotless:on

  static final Layout FLAGS = DMAR.res0(3, 7).seal();
  static final Layout EXTENDED_CAPABILITY = ECAP.software(0, 2).software(5, 63).seal();
}
