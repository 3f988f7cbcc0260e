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
  @DisplayName("Blocks and pages of both stages agree with the kernel's page-table code bit by bit")
  @ValueSource(ints = {1, 2})
  void agree(int stage) throws IOException {
    Layout layout = stage == 1 ? DescriptorLayout.STAGE1_LEAF : DescriptorLayout.STAGE2_LEAF;
    SecondSource source = SecondSource.read(Stage.class, "leaf" + stage + "-linux.txt");
    for (SecondSource.Row row : source.rows()) {
      Field field =
          layout.fields().stream().filter(f -> f.name().equals(row.name())).findAny().orElseThrow();
      assertEquals(List.of(row.first(), row.last()), List.of(field.msb(), field.lsb()), row.name());
    }
  }
}
