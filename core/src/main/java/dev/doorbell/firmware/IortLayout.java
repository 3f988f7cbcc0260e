package dev.doorbell.firmware;

import dev.doorbell.firmware.Structure.Member;

/// Structures of an IORT. Members of a table or node have offsets from its start.
///
/// **Source**: DEN 0049 issue E.f, 3.
final class IortLayout {
  private IortLayout() {}

  // spotless:off
  static final Structure TABLE            = Structure.named("IORT").skip("Header", AcpiTable.HEADER);
  static final Member NODE_COUNT          = TABLE.u32("Number of IORT nodes");
  static final Member NODE_OFFSET         = TABLE.u32("Offset to array of IORT nodes");
  static final int TABLE_BYTES            = TABLE.skip("Reserved", 4).size();

  static final Structure NODE             = Structure.named("Node");
  static final Member TYPE                = NODE.u8 ("Type");
  static final Member LENGTH              = NODE.u16("Length");
  static final Member REVISION            = NODE.u8 ("Revision");
  static final Member IDENTIFIER          = NODE.u32("Identifier");
  static final Member MAPPING_COUNT       = NODE.u32("Number of ID mappings");
  static final Member MAPPING_OFFSET      = NODE.u32("Reference to ID array");

  static final Structure MAPPING          = Structure.named("ID mapping");
  static final Member INPUT_BASE          = MAPPING.u32("Input base");
  static final Member ID_COUNT            = MAPPING.u32("Number of IDs");
  static final Member OUTPUT_BASE         = MAPPING.u32("Output base");
  static final Member OUTPUT_REFERENCE    = MAPPING.u32("Output reference");
  static final Member MAPPING_FLAGS       = MAPPING.u32("Flags");

  static final Structure ITS_GROUP        = Structure.after(NODE, "ITS group");
  static final Member ITS_COUNT           = ITS_GROUP.u32("Number of ITSs");
  /// An identifier; as many as there are ITSes follow one another from the end of the structure.
  static final int ITS_ID_BYTES           = 4;

  static final Structure COMPONENT        = Structure.after(NODE, "Named component");
  static final Member COMPONENT_FLAGS     = COMPONENT.u32("Node flags");
  static final Member COMPONENT_CCA       = COMPONENT.u32("CCA");
  static final Member COMPONENT_HINTS     = COMPONENT.skip("AH", 1).skip("Reserved", 2).u8("MAF");
  static final Member COMPONENT_LIMIT     = COMPONENT.u8 ("Device memory address size limit");

  static final Structure ROOT_COMPLEX     = Structure.after(NODE, "Root complex");
  static final Member ROOT_CCA            = ROOT_COMPLEX.u32("CCA");
  static final Member ROOT_MAF            = ROOT_COMPLEX.skip("AH", 1).skip("Reserved", 2).u8("MAF");
  static final Member ROOT_ATS            = ROOT_COMPLEX.u32("ATS attribute");
  static final Member ROOT_SEGMENT        = ROOT_COMPLEX.u32("PCI segment number");
  /// Revision 0 ends here.
  static final int ROOT_BYTES             = ROOT_COMPLEX.size();
  static final Member ROOT_LIMIT          = ROOT_COMPLEX.u8 ("Memory address size limit");

  static final Structure SMMU             = Structure.after(NODE, "SMMUv1 or v2");
  static final Member SMMU_BASE           = SMMU.u64("Base address");
  static final Member SMMU_SPAN           = SMMU.u64("Span");
  static final Member SMMU_MODEL          = SMMU.u32("Model");
  static final Member SMMU_FLAGS          = SMMU.u32("Flags");

  static final Structure SMMU3            = Structure.after(NODE, "SMMUv3");
  static final Member SMMU3_BASE          = SMMU3.u64("Base address");
  static final Member SMMU3_FLAGS         = SMMU3.u32("Flags");
  static final Member SMMU3_VATOS         = SMMU3.skip("Reserved", 4).u64("VATOS address");
  static final Member SMMU3_MODEL         = SMMU3.u32("Model");
  static final Member SMMU3_EVENT         = SMMU3.u32("Event");
  static final Member SMMU3_PRI           = SMMU3.u32("PRI");
  static final Member SMMU3_GERR          = SMMU3.u32("GERR");
  static final Member SMMU3_SYNC          = SMMU3.u32("Sync");
  /// Revision 0 ends here.
  static final int SMMU3_BYTES            = SMMU3.size();
  static final Member SMMU3_PROXIMITY     = SMMU3.u32("Proximity domain");
  static final Member SMMU3_OWN_MAPPING   = SMMU3.u32("DeviceID mapping index");

  static final Structure PMCG             = Structure.after(NODE, "PMCG");
  static final Member PMCG_BASE           = PMCG.u64("Page 0 base address");
  static final Member PMCG_OVERFLOW       = PMCG.u32("Overflow interrupt GSIV");
  static final Member PMCG_OF             = PMCG.u32("Node reference");

  static final Structure RMR              = Structure.after(NODE, "RMR");
  static final Member RMR_FLAGS           = RMR.u32("Flags");
  static final Member RMR_COUNT           = RMR.u32("Number of memory range descriptors");
  static final Member RMR_OFFSET          = RMR.u32("Reference to memory range descriptors");

  static final Structure RANGE            = Structure.named("Memory range descriptor");
  static final Member RANGE_START         = RANGE.u64("Physical range offset");
  static final Member RANGE_BYTES         = RANGE.u64("Physical range length");
  static final Member RANGE_RESERVED      = RANGE.u32("Reserved");
  // spotless:on
}
