package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TablesSecondSourceTest {
  @ParameterizedTest
  @DisplayName("VT-d 9 and 11.4: entries and registers agree with other publications bit by bit")
  @ValueSource(
      strings = {"irte-linux", "posted-linux", "context-qemu", "pasid-qemu", "registers-qemu"})
  void agree(String table) throws IOException {
    List<Layout> layouts =
        switch (table.substring(0, table.indexOf('-'))) {
          case "irte" -> List.of(IrteLayout.LOW, IrteLayout.HIGH);
          case "posted" -> List.of(IrteLayout.POSTED_LOW, IrteLayout.POSTED_HIGH);
          case "context" ->
              List.of(
                  ContextLayout.ROOT,
                  ContextLayout.CONTEXT_LOW,
                  ContextLayout.CONTEXT_HIGH,
                  ContextLayout.SCALABLE_HIGH);
          case "pasid" -> List.of(PasidLayout.DIRECTORY, PasidLayout.ENTRY_0, PasidLayout.ENTRY_1);
          default -> List.of(VtdRegisters.GSTS, VtdRegisters.IRTA_REG, PagingLayout.SECOND_STAGE);
        };
    SecondSource source = SecondSource.read(IrteLayout.class, table + ".txt");
    assertTrue(source.rows().size() > 5);
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
  @DisplayName("VT-d 7.1.3: every fault's code is its place in Linux's tables of reasons")
  void faults() throws IOException {
    Map<String, Integer> linux = new TreeMap<>();
    SecondSource.read(IrteLayout.class, "faults-linux.txt")
        .rows()
        .forEach(r -> linux.put(r.name(), r.first()));
    Map<String, Integer> declared = new TreeMap<>();
    for (VtdFault f : VtdFault.values()) {
      declared.put(f.name(), f.code());
    }
    assertEquals(linux, declared);
  }
}
