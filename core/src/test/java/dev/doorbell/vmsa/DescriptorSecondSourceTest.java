package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorSecondSourceTest {
  @ParameterizedTest
  @DisplayName(
      "Blocks and pages of both stages, and their tables, agree with the kernel's page-table code bit by bit")
  @ValueSource(strings = {"leaf1", "leaf2", "table1", "table2"})
  void agree(String kind) throws IOException {
    Layout layout =
        switch (kind) {
          case "leaf1" -> DescriptorLayout.STAGE1_LEAF;
          case "leaf2" -> DescriptorLayout.STAGE2_LEAF;
          case "table1" -> DescriptorLayout.STAGE1_TABLE;
          default -> DescriptorLayout.STAGE2_TABLE;
        };
    SecondSource source = SecondSource.read(Stage.class, kind + "-linux.txt");
    for (SecondSource.Row row : source.rows()) {
      Field field =
          layout.fields().stream().filter(f -> f.name().equals(row.name())).findAny().orElseThrow();
      assertEquals(List.of(row.first(), row.last()), List.of(field.msb(), field.lsb()), row.name());
    }
  }
}
