package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TablesSecondSourceTest {
  @ParameterizedTest
  @DisplayName("48882 2.2 and 3.4: entries and registers agree with other publications bit by bit")
  @ValueSource(strings = {"dte-linux", "dte-qemu", "irte-linux", "tables-linux"})
  void agree(String table) throws IOException {
    List<Layout> layouts =
        switch (table.substring(0, table.indexOf('-'))) {
          case "dte" -> DteLayout.ENTRY;
          case "irte" ->
              List.of(
                  IrteLayout.NARROW,
                  IrteLayout.LOW,
                  IrteLayout.HIGH,
                  IrteLayout.GUEST_LOW,
                  IrteLayout.GUEST_HIGH);
          default -> List.of(IoPageLayout.ENTRY, AmdViRegisters.CONTROL, IrteLayout.MESSAGE_DATA);
        };
    SecondSource source = SecondSource.read(DteLayout.class, table + ".txt");
    assertTrue(source.rows().size() > 10);
    for (SecondSource.Row row : source.rows()) {
      int word = row.name().charAt(0) - '0';
      String name = row.name().substring(2).replace('_', ' ');
      Field field =
          layouts.get(word).fields().stream()
              .filter(f -> f.name().equals(name))
              .findAny()
              .orElseThrow();
      assertEquals(List.of(row.last(), row.first()), List.of(field.msb(), field.lsb()), row.name());
    }
  }
}
