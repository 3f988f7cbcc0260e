package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.firmware.Structure.Member;

/// Flag bytes of the DMA Remapping table and its structures, and what of a remapping unit's capability registers a kernel's log tells.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.1 to 8.9 (DMAR), 11.4.2 (CAP_REG) and 11.4.3 (ECAP_REG).
public final class DmarLayout {
  private DmarLayout() {}

  /// Offset of the table's flags.
  public static final int FLAGS_AT = 37;

  /// Bit n of CAP_REG.SAGAW says that tables of n + 2 levels can be walked, for 30 + 9 n bits of address.
  static final int FIRST_WIDTH = 30;

  /// Bits of address that one more level of tables adds.
  static final int BITS_PER_LEVEL = 9;

  private static final Layout DMAR = Layout.lsb0("DMAR.Flags", 1);
  private static final Layout DRHD = Layout.lsb0("DRHD.Flags", 1);
  private static final Layout DRHD_SIZE = Layout.lsb0("DRHD.Size", 1);
  private static final Layout SCOPED = Layout.lsb0("ATSR.Flags", 1);
  private static final Layout CAP = Layout.lsb0("CAP_REG", 8);
  private static final Layout ECAP = Layout.lsb0("ECAP_REG", 8);

  // spotless:off
  public static final Field INTR_REMAP       = DMAR.bit ("INTR_REMAP",                  0);
  public static final Field X2APIC_OPT_OUT   = DMAR.bit ("X2APIC_OPT_OUT",              1);
  public static final Field DMA_CTRL_OPT_IN  = DMAR.bit ("DMA_CTRL_PLATFORM_OPT_IN_FLAG", 2);
  static final Field INCLUDE_PCI_ALL         = DRHD.bit ("INCLUDE_PCI_ALL",             0);
  static final Field SIZE                    = DRHD_SIZE.bits("Size",                   3, 0);
  /// ALL_PORTS of an ATSR, ATC_REQUIRED of an SATC.
  static final Field FIRST_FLAG              = SCOPED.bit("ALL_PORTS",                  0);
  static final Field CAP_SAGAW               = CAP.bits ("SAGAW",                      12, 8);
  static final Field CAP_MGAW                = CAP.bits ("MGAW",                       21, 16);
  public static final Field ECAP_IR          = ECAP.bit ("IR",                          3);
  public static final Field ECAP_EIM         = ECAP.bit ("EIM",                         4);
  // spotless:on

  // spotless:off
  static final Structure TABLE            = Structure.named("DMAR").skip("Header", AcpiTable.HEADER);
  static final Member WIDTH               = TABLE.u8 ("Host Address Width");
  static final Member TABLE_FLAGS         = TABLE.u8 ("Flags");
  static final int TABLE_BYTES            = TABLE.skip("Reserved", 10).size();

  static final Structure HEADER           = Structure.named("Remapping structure");
  static final Member TYPE                = HEADER.u16("Type");
  static final Member LENGTH              = HEADER.u16("Length");

  static final Structure SCOPE            = Structure.named("Device scope");
  static final Member SCOPE_TYPE          = SCOPE.u8 ("Type");
  static final Member SCOPE_LENGTH        = SCOPE.u8 ("Length");
  static final Member ENUMERATION_ID      = SCOPE.skip("Flags and reserved", 2).u8("Enumeration ID");
  static final Member START_BUS           = SCOPE.u8 ("Start Bus Number");

  static final Structure UNIT             = Structure.after(HEADER, "DRHD");
  static final Member UNIT_FLAGS          = UNIT.u8 ("Flags");
  static final Member UNIT_SIZE           = UNIT.u8 ("Size");
  static final Member UNIT_SEGMENT        = UNIT.u16("Segment Number");
  static final Member UNIT_BASE           = UNIT.u64("Register Base Address");

  static final Structure RMRR             = Structure.after(HEADER, "RMRR");
  static final Member RMRR_SEGMENT        = RMRR.skip("Reserved", 2).u16("Segment Number");
  static final Member RMRR_BASE           = RMRR.u64("Reserved Memory Region Base Address");
  static final Member RMRR_LIMIT          = RMRR.u64("Reserved Memory Region Limit Address");

  /// SATC and SIDP have the same members.
  static final Structure ATSR             = Structure.after(HEADER, "ATSR");
  static final Member ATSR_FLAGS          = ATSR.u8 ("Flags");
  static final Member ATSR_SEGMENT        = ATSR.skip("Reserved", 1).u16("Segment Number");

  static final Structure RHSA             = Structure.after(HEADER, "RHSA");
  static final Member RHSA_BASE           = RHSA.skip("Reserved", 4).u64("Register Base Address");
  static final Member RHSA_DOMAIN         = RHSA.u32("Proximity Domain");

  static final Structure ANDD             = Structure.after(HEADER, "ANDD");
  static final Member ANDD_NUMBER         = ANDD.skip("Reserved", 3).u8("ACPI Device Number");
  // spotless:on

  public static final Layout FLAGS = DMAR.res0(3, 7).seal();
  static final Layout SCOPED_FLAGS = SCOPED.res0(1, 7).seal();
  static final Layout DRHD_FLAGS = DRHD.res0(1, 7).seal();
  static final Layout DRHD_SIZE_BYTE = DRHD_SIZE.res0(4, 7).seal();
  static final Layout CAPABILITY = CAP.software(0, 7).software(13, 15).software(22, 63).seal();
  public static final Layout EXTENDED_CAPABILITY = ECAP.software(0, 2).software(5, 63).seal();
}
