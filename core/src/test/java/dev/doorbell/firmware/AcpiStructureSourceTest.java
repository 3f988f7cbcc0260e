package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("structures of IORT and VIOT have the members of ACPICA's, at the same bytes")
class AcpiStructureSourceTest {
  private static final Map<String, Structure> IORT =
      Map.ofEntries(
          Map.entry("acpi_table_iort", IortLayout.TABLE),
          Map.entry("acpi_iort_node", IortLayout.NODE),
          Map.entry("acpi_iort_id_mapping", IortLayout.MAPPING),
          Map.entry("acpi_iort_its_group", IortLayout.ITS_GROUP),
          Map.entry("acpi_iort_named_component", IortLayout.COMPONENT),
          Map.entry("acpi_iort_root_complex", IortLayout.ROOT_COMPLEX),
          Map.entry("acpi_iort_smmu", IortLayout.SMMU),
          Map.entry("acpi_iort_smmu_v3", IortLayout.SMMU3),
          Map.entry("acpi_iort_pmcg", IortLayout.PMCG),
          Map.entry("acpi_iort_rmr", IortLayout.RMR),
          Map.entry("acpi_iort_rmr_desc", IortLayout.RANGE));

  private static final Map<String, Structure> VIOT =
      Map.of(
          "acpi_table_viot", ViotLayout.TABLE,
          "acpi_viot_header", ViotLayout.NODE,
          "acpi_viot_pci_range", ViotLayout.PCI_RANGE,
          "acpi_viot_mmio", ViotLayout.ENDPOINT,
          "acpi_viot_virtio_iommu_pci", ViotLayout.OVER_PCI,
          "acpi_viot_virtio_iommu_mmio", ViotLayout.OVER_MMIO);

  private static final Map<String, Structure> DMAR =
      Map.of(
          "acpi_table_dmar", DmarLayout.TABLE,
          "acpi_dmar_header", DmarLayout.HEADER,
          "acpi_dmar_device_scope", DmarLayout.SCOPE,
          "acpi_dmar_hardware_unit", DmarLayout.UNIT,
          "acpi_dmar_reserved_memory", DmarLayout.RMRR,
          "acpi_dmar_atsr", DmarLayout.ATSR,
          "acpi_dmar_rhsa", DmarLayout.RHSA,
          "acpi_dmar_andd", DmarLayout.ANDD);

  private static final Map<String, Structure> IVRS =
      Map.of(
          "acpi_table_ivrs", IvrsLayout.TABLE,
          "acpi_ivrs_header", IvrsLayout.BLOCK,
          "acpi_ivrs_hardware_11", IvrsLayout.UNIT,
          "acpi_ivrs_memory", IvrsLayout.MEMORY_BLOCK,
          "acpi_ivrs_de_header", IvrsLayout.ENTRY,
          "acpi_ivrs_device8a", IvrsLayout.ALIAS,
          "acpi_ivrs_device8c", IvrsLayout.SPECIAL,
          "acpi_ivrs_device_hid", IvrsLayout.ACPI_DEVICE);

  private static final Map<String, Structure> RIMT =
      Map.of(
          "acpi_table_rimt", RimtLayout.TABLE,
          "acpi_rimt_node", RimtLayout.NODE,
          "acpi_rimt_iommu", RimtLayout.IOMMU_NODE,
          "acpi_rimt_pcie_rc", RimtLayout.COMPLEX,
          "acpi_rimt_id_mapping", RimtLayout.MAPPING);

  /// Members are told by their place in the order, as names differ; each has to have its bytes.
  private static void agree(String resource, Map<String, Structure> ours, boolean fromBody)
      throws IOException {
    Map<String, List<SecondSource.Row>> theirs =
        SecondSource.read(AcpiStructureSourceTest.class, resource).rows().stream()
            .collect(Collectors.groupingBy(r -> r.name().substring(0, r.name().indexOf('.'))));
    assertEquals(new TreeSet<>(ours.keySet()), new TreeSet<>(theirs.keySet()));
    theirs.forEach((name, rows) -> {
      Structure s = ours.get(name);
      int body = fromBody ? s.start() : 0;
      assertEquals(
          rows.stream().map(r -> r.first() + " to " + r.last()).toList(),
          s.members().stream()
              .map(m -> {
                int first = m.offset() - body;
                return first + " to " + (first + m.bytes() - 1);
              })
              .toList(),
          () -> name + ": " + rows + " against " + s.members());
    });
  }

  @Test
  @DisplayName("IORT: actbl2.h")
  void iort() throws IOException {
    agree("linux-actbl2-iort.txt", IORT, true);
  }

  @Test
  @DisplayName("VIOT: actbl3.h")
  void viot() throws IOException {
    agree("linux-actbl3-viot.txt", VIOT, false);
  }

  @Test
  @DisplayName("DMAR: actbl1.h")
  void dmar() throws IOException {
    agree("linux-actbl-dmar.txt", DMAR, true);
  }

  @Test
  @DisplayName("IVRS: actbl2.h")
  void ivrs() throws IOException {
    agree("linux-actbl-ivrs.txt", IVRS, true);
  }

  @Test
  @DisplayName("RIMT: actbl2.h")
  void rimt() throws IOException {
    agree("linux-actbl2-rimt.txt", RIMT, true);
  }
}
