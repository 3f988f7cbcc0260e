package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.firmware.Structure.Member;

/// The RISC-V I/O Mapping Table and its nodes.
///
/// **Source**: RISC-V IO Mapping Table (RIMT) Specification 1.0, 2.
final class RimtLayout {
  private RimtLayout() {}

  static final int IOMMU = 0;
  static final int ROOT_COMPLEX = 1;
  static final int PLATFORM_DEVICE = 2;

  private static final Layout FLAGS = Layout.lsb0("RIMT IOMMU.Flags", 4);

  // spotless:off
  static final Field IOMMU_IS_PCI         = FLAGS.bit("PCIe device",            0);
  static final Field IOMMU_PROXIMITY      = FLAGS.bit("Proximity domain valid", 1);

  static final Structure TABLE            = Structure.named("RIMT").skip("Header", AcpiTable.HEADER);
  static final Member NODE_COUNT          = TABLE.u32("Number of RIMT Nodes");
  static final Member NODE_OFFSET         = TABLE.u32("Offset to RIMT Node Array");
  static final int TABLE_BYTES            = TABLE.skip("Reserved", 4).size();

  static final Structure NODE             = Structure.named("RIMT node");
  static final Member TYPE                = NODE.u8 ("Type");
  static final Member REVISION            = NODE.u8 ("Revision");
  static final Member LENGTH              = NODE.u16("Length");
  static final Member ID                  = NODE.skip("Reserved", 2).u16("ID");

  static final Structure IOMMU_NODE       = Structure.after(NODE, "RIMT IOMMU").skip("Hardware ID", 8);
  static final Member BASE                = IOMMU_NODE.u64("Base Address");
  static final Member IOMMU_FLAGS         = IOMMU_NODE.u32("Flags");
  static final Member PROXIMITY           = IOMMU_NODE.u32("Proximity Domain");
  static final Member IOMMU_SEGMENT       = IOMMU_NODE.u16("PCIe Segment Number");
  static final Member IOMMU_BDF           = IOMMU_NODE.u16("PCIe B/D/F");
  static final Member WIRES               = IOMMU_NODE.u16("Number of Interrupt Wires");
  static final Member WIRE_OFFSET         = IOMMU_NODE.u16("Interrupt Wire Array Offset");

  static final Structure COMPLEX          = Structure.after(NODE, "RIMT PCIe root complex").skip("Flags", 4).skip("Reserved", 2);
  static final Member SEGMENT             = COMPLEX.u16("PCIe Segment Number");
  static final Member MAPPING_OFFSET      = COMPLEX.u16("ID Mapping Array Offset");
  static final Member MAPPINGS            = COMPLEX.u16("Number of ID Mappings");

  static final Structure MAPPING          = Structure.named("RIMT ID mapping");
  static final Member SOURCE_BASE         = MAPPING.u32("Source ID Base");
  static final Member IDS                 = MAPPING.u32("Number of IDs");
  static final Member DEVICE_BASE         = MAPPING.u32("Destination Device ID Base");
  static final Member IOMMU_OFFSET        = MAPPING.u32("Destination IOMMU Offset");
  static final int MAPPING_BYTES          = MAPPING.skip("Flags", 4).size();
  // spotless:on

  static final Layout IOMMU_FLAG_WORD = FLAGS.res0(2, 31).seal();
}
