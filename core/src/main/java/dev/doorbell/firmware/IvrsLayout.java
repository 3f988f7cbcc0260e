package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.firmware.Structure.Member;

/// Flags and packed words of the I/O Virtualization Reporting Structure.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 5.2 (IVRS).
final class IvrsLayout {
  private IvrsLayout() {}

  /// Levels of tables for HATS 0; each further one adds a level.
  static final int FEWEST_LEVELS = 4;

  /// Bits of an address within a page, and those that each level of tables translates.
  static final int PAGE_BITS = 12;

  static final int BITS_PER_LEVEL = 9;

  private static final Layout INFO = Layout.lsb0("IVinfo", 4);
  private static final Layout EFR = Layout.lsb0("IVHD.EFR", 8);
  private static final Layout MEMORY = Layout.lsb0("IVMD.Flags", 1);

  // spotless:off
  static final Field EFR_SUP       = INFO.bit   ("EFRSup",                  0);
  static final Field DMA_GUARD     = INFO.bit   ("DMA remap opt-in",        1);
  static final Field GVA_SIZE      = INFO.bits  ("GVASize",                 7, 5);
  static final Field PA_SIZE       = INFO.bits  ("PASize",                 14, 8);
  static final Field VA_SIZE       = INFO.bits  ("VASize",                 21, 15);
  static final Field HT_ATS_RESV   = INFO.bit   ("HtAtsResv",              22);
  static final Field HATS          = EFR.bits   ("HATS",                   11, 10);
  static final Field UNITY         = MEMORY.bit ("Unity",                   0);
  static final Field READ          = MEMORY.bit ("IR",                      1);
  static final Field WRITE         = MEMORY.bit ("IW",                      2);
  static final Field EXCLUSION     = MEMORY.bit ("ExclusionRange",          3);
  // spotless:on

  // spotless:off
  static final Structure TABLE          = Structure.named("IVRS").skip("Header", AcpiTable.HEADER);
  static final Member INFORMATION       = TABLE.u32("IVinfo");
  static final int TABLE_BYTES          = TABLE.skip("Reserved", 8).size();

  static final Structure BLOCK          = Structure.named("Block");
  static final Member TYPE              = BLOCK.u8 ("Type");
  static final Member BLOCK_FLAGS       = BLOCK.u8 ("Flags");
  static final Member LENGTH            = BLOCK.u16("Length");
  static final Member DEVICE_ID         = BLOCK.u16("DeviceID");

  static final Structure UNIT           = Structure.after(BLOCK, "IVHD");
  static final Member UNIT_BASE         = UNIT.skip("Capability Offset", 2).u64("IOMMU Base Address");
  static final Member UNIT_SEGMENT      = UNIT.u16("PCI Segment Group");
  static final Member UNIT_INFO         = UNIT.u16("IOMMU Info");
  static final Member UNIT_FEATURES     = UNIT.u32("IOMMU Feature Info or Attributes");
  /// Type 10h ends here.
  static final int UNIT_BYTES           = UNIT.size();
  static final Member UNIT_EFR          = UNIT.u64("EFR Register Image");
  static final Member UNIT_EFR2         = UNIT.u64("EFR Register Image 2");

  static final Structure MEMORY_BLOCK   = Structure.after(BLOCK, "IVMD");
  static final Member MEMORY_LAST       = MEMORY_BLOCK.u16("Auxiliary Data");
  static final Member MEMORY_SEGMENT    = MEMORY_BLOCK.u16("PCI Segment Group");
  static final Member MEMORY_START      = MEMORY_BLOCK.skip("Reserved", 6).u64("IVMD Start Address");
  static final Member MEMORY_BYTES      = MEMORY_BLOCK.u64("IVMD Memory Block Length");

  static final Structure ENTRY          = Structure.named("Device entry");
  static final Member ENTRY_TYPE        = ENTRY.u8 ("Type");
  static final Member ENTRY_DEVICE      = ENTRY.u16("DeviceID");
  static final Member ENTRY_SETTING     = ENTRY.u8 ("DTE Setting");

  static final Structure ALIAS          = Structure.after(ENTRY, "Alias");
  static final Member ALIAS_SOURCE      = ALIAS.skip("Reserved", 1).u16("Source DeviceID");

  static final Structure SPECIAL        = Structure.after(ENTRY, "Special device");
  static final Member SPECIAL_HANDLE    = SPECIAL.u8 ("Handle");
  static final Member SPECIAL_DEVICE    = SPECIAL.u16("Source DeviceID");
  static final Member SPECIAL_VARIETY   = SPECIAL.u8 ("Variety");

  static final Structure ACPI_DEVICE    = Structure.after(ENTRY, "ACPI device");
  static final Member ACPI_HID          = ACPI_DEVICE.u64("Hardware ID");
  static final Member ACPI_UID_LENGTH   = ACPI_DEVICE.skip("Compatible ID", 8).skip("Unique ID format", 1).u8("Unique ID length");
  // spotless:on

  static final Layout IV_INFO = INFO.res0(2, 4).res0(23, 31).seal();
  static final Layout FEATURES = EFR.software(0, 9).software(12, 63).seal();
  static final Layout MEMORY_FLAGS = MEMORY.res0(4, 7).seal();
}
