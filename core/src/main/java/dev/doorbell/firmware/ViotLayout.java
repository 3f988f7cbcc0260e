package dev.doorbell.firmware;

import dev.doorbell.firmware.Structure.Member;

/// Structures of a VIOT. Members of a table or node have offsets from its start.
///
/// **Source**: ACPI 6.5, 5.2.32.
final class ViotLayout {
  private ViotLayout() {}

  // spotless:off
  static final Structure TABLE        = Structure.named("VIOT").skip("Header", AcpiTable.HEADER);
  static final Member NODE_COUNT      = TABLE.u16("Node count");
  static final Member NODE_OFFSET     = TABLE.u16("Node offset");
  static final int TABLE_BYTES        = TABLE.skip("Reserved", 8).size();

  static final Structure NODE         = Structure.named("Node");
  static final Member TYPE            = NODE.u8("Type");
  static final Member LENGTH          = NODE.skip("Reserved", 1).u16("Length");

  static final Structure PCI_RANGE    = Structure.after(NODE, "PCI range");
  static final Member ENDPOINT_START  = PCI_RANGE.u32("Endpoint start");
  static final Member SEGMENT_START   = PCI_RANGE.u16("PCI segment start");
  static final Member SEGMENT_END     = PCI_RANGE.u16("PCI segment end");
  static final Member BDF_START       = PCI_RANGE.u16("PCI BDF start");
  static final Member BDF_END         = PCI_RANGE.u16("PCI BDF end");
  static final Member RANGE_OUTPUT    = PCI_RANGE.u16("Output node");
  static final int PCI_RANGE_BYTES    = PCI_RANGE.skip("Reserved", 6).size();

  static final Structure ENDPOINT     = Structure.after(NODE, "MMIO endpoint");
  static final Member ENDPOINT_ID     = ENDPOINT.u32("Endpoint ID");
  static final Member ENDPOINT_BASE   = ENDPOINT.u64("Base address");
  static final Member ENDPOINT_OUTPUT = ENDPOINT.u16("Output node");
  static final int ENDPOINT_BYTES     = ENDPOINT.skip("Reserved", 6).size();

  static final Structure OVER_PCI     = Structure.after(NODE, "virtio-iommu based on virtio-pci");
  static final Member PCI_SEGMENT     = OVER_PCI.u16("PCI segment");
  static final Member PCI_BDF         = OVER_PCI.u16("PCI BDF number");
  static final int OVER_PCI_BYTES     = OVER_PCI.skip("Reserved", 8).size();

  static final Structure OVER_MMIO    = Structure.after(NODE, "virtio-iommu based on virtio-mmio");
  static final Member MMIO_BASE       = OVER_MMIO.skip("Reserved", 4).u64("Base address");
  static final int OVER_MMIO_BYTES    = OVER_MMIO.size();
  // spotless:on
}
