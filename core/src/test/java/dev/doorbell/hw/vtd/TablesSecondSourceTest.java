package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TablesSecondSourceTest {
  private static final String UNUSED = "neither Linux nor QEMU uses it";

  private static List<String> tables() {
    return List.of(
        "irte-linux",
        "posted-linux",
        "pasidinv-virtualbox",
        "requests-linux",
        "context-qemu",
        "pasid-qemu",
        "pasid-linux",
        "registers-qemu",
        "scalable-linux",
        "paging-linux",
        "message-linux",
        "address-intel",
        "unit-qemu",
        "unit-linux",
        "descriptors-linux");
  }

  private static List<Layout> layouts(String table) {
    return switch (table.substring(0, table.indexOf('-'))) {
      case "irte" -> List.of(IrteLayout.LOW, IrteLayout.HIGH);
      case "posted" -> List.of(IrteLayout.POSTED_LOW, IrteLayout.POSTED_HIGH);
      case "pasidinv" ->
          List.of(
              InvalidationLayout.PASID_CACHE_LAYOUT,
              InvalidationLayout.PASID_IOTLB_LOW,
              InvalidationLayout.PASID_IOTLB_HIGH);
      case "requests" -> List.of(PostedLayout.CONTROL);
      case "context" ->
          List.of(
              ContextLayout.ROOT,
              ContextLayout.CONTEXT_LOW,
              ContextLayout.CONTEXT_HIGH,
              ContextLayout.SCALABLE_HIGH);
      case "scalable" ->
          List.of(
              ContextLayout.SCALABLE_ROOT_LOW,
              ContextLayout.SCALABLE_ROOT_HIGH,
              ContextLayout.SCALABLE_LOW,
              ContextLayout.SCALABLE_HIGH);
      case "pasid" ->
          List.of(
              PasidLayout.DIRECTORY, PasidLayout.ENTRY_0, PasidLayout.ENTRY_1, PasidLayout.ENTRY_2);
      case "paging" -> List.of(PagingLayout.SECOND_STAGE, PagingLayout.FIRST_STAGE);
      case "message" -> List.of(IrteLayout.MESSAGE_ADDRESS, IrteLayout.MESSAGE_DATA);
      case "unit" -> unit(table);
      case "descriptors" ->
          List.of(
              InvalidationLayout.CONTEXT,
              InvalidationLayout.IOTLB_LOW,
              InvalidationLayout.IOTLB_HIGH,
              InvalidationLayout.IEC,
              InvalidationLayout.WAIT_LOW,
              InvalidationLayout.DESCRIPTOR);
      case "address" -> List.of(VtdRegisters.RTADDR, VtdRegisters.IRTA_REG);
      default -> List.of(VtdRegisters.GSTS, VtdRegisters.IRTA_REG, PagingLayout.SECOND_STAGE);
    };
  }

  private static List<Layout> unit(String table) {
    return table.endsWith("linux")
        ? List.of(
            VtdRegisters.VER_REG.layout(),
            VtdRegisters.CAP_LAYOUT,
            VtdRegisters.ECAP_LAYOUT,
            VtdRegisters.FSTS_LAYOUT,
            VtdRegisters.IOTLB_LAYOUT,
            VtdRegisters.FRCD_HIGH)
        : List.of(
            VtdRegisters.GCMD_LAYOUT,
            VtdRegisters.GSTS,
            VtdRegisters.CCMD_LAYOUT,
            VtdRegisters.FSTS_LAYOUT,
            VtdRegisters.ECTL_LAYOUT,
            VtdRegisters.QUEUE_LAYOUT,
            VtdRegisters.IQA_LAYOUT,
            VtdRegisters.ICS_LAYOUT,
            VtdRegisters.IVA_LAYOUT,
            VtdRegisters.IOTLB_LAYOUT,
            VtdRegisters.FRCD_LOW,
            VtdRegisters.FRCD_HIGH);
  }

  @Test
  @DisplayName("every field that is declared has a second source, or is listed as one without")
  void complete() throws IOException, IllegalAccessException {
    Set<String> rows = new TreeSet<>();
    for (String table : tables()) {
      for (SecondSource.Row row : SecondSource.read(IrteLayout.class, table + ".txt").rows()) {
        Layout layout = layouts(table).get(row.name().charAt(0) - '0');
        rows.add(layout.name() + "." + row.name().substring(2));
      }
    }
    LayoutSource.complete(
        rows,
        Map.ofEntries(
            Map.entry("RTADDR_REG.TTM", "both know its lower bit only, as SMT"),
            Map.entry("PASID directory entry.P", "both write a bare 1"),
            Map.entry("PASID table entry[0].SSEE", UNUSED),
            Map.entry("PASID table entry[2].ERE", UNUSED),
            Map.entry("PASID table entry[2].SMEP", UNUSED),
            Map.entry("IRTE[0] of xAPIC.DST_XAPIC", "both shift by 8 where they write or read it"),
            Map.entry("inv_wait_dsc[1].STATUS_ADDRESS", "both write a bare address"),
            Map.entry("IVA_REG.IH", "Linux has it as of the descriptor, QEMU not at all")),
        List.of(
            IrteLayout.class,
            ContextLayout.class,
            PasidLayout.class,
            PostedLayout.class,
            PagingLayout.class,
            InvalidationLayout.class,
            VtdRegisters.class));
  }

  @ParameterizedTest
  @DisplayName("VT-d 9 and 11.4: entries and registers agree with other publications bit by bit")
  @MethodSource("tables")
  void agree(String table) throws IOException {
    List<Layout> layouts = layouts(table);
    SecondSource source = SecondSource.read(IrteLayout.class, table + ".txt");
    assertTrue(source.rows().size() > 3);
    for (SecondSource.Row row : source.rows()) {
      int word = row.name().charAt(0) - '0';
      String name = row.name().substring(2);
      Field field =
          layouts.get(word).fields().stream()
              .filter(f -> f.name().equals(name))
              .findAny()
              .orElseThrow();
      assertEquals(List.of(row.last(), row.first()), List.of(field.msb(), field.lsb()), row.name());
    }
  }

  @Test
  @DisplayName(
      "VT-d 11.4: every register lies where VirtualBox has it, but those whose place a unit chooses")
  void offsets() throws IOException {
    String table = "offsets-virtualbox.txt";
    LayoutSource.ofPackage(VtdRegisters.class).agree(table);
    Set<String> left = new TreeSet<>();
    VtdRegisters.MAP.registers().forEach(r -> left.add("@" + r.name()));
    for (SecondSource.Row row : SecondSource.read(IrteLayout.class, table).rows()) {
      assertTrue(left.remove(row.name()), row.name());
    }
    assertEquals(Set.of("@IVA_REG", "@IOTLB_REG", "@FRCD_REG"), left);
  }

  @Test
  @DisplayName(
      "VT-d 7.1.3: every fault's code is its place in Linux's tables of reasons, and numbers of VirtualBox, OpenVMM and QEMU")
  void faults() throws IOException {
    Map<String, Integer> others = new TreeMap<>();
    for (String table :
        List.of(
            "faults-linux.txt", "faults-virtualbox.txt", "faults-openvmm.txt", "faults-qemu.txt")) {
      for (SecondSource.Row row : SecondSource.read(IrteLayout.class, table).rows()) {
        Integer known = others.put(row.name(), row.first());
        assertEquals(known == null ? row.first() : known, row.first(), table + ": " + row.name());
      }
    }
    Map<String, Integer> declared = new TreeMap<>();
    for (VtdFault f : VtdFault.values()) {
      declared.put(f.name(), f.code());
    }
    assertEquals(others, declared);
  }
}
