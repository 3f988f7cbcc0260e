package dev.doorbell.hw.smmuv3;

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
  /// Where the manual has room for addresses that the header does not know.
  private static final List<String> WIDER =
      List.of("S1ContextPtr", "S2TTB", "TTB0", "TTB1", "L2Ptr");

  @ParameterizedTest
  @DisplayName(
      "IHI 0070 5.1 to 5.4: stream table entry, context descriptor and level 1 descriptors of both agree with other publications bit by bit")
  @ValueSource(
      strings = {
        "ste-linux",
        "ste-openvmm",
        "ste-qemu",
        "cd-linux",
        "cd-qemu",
        "l1std-linux",
        "l1cd-linux"
      })
  void agree(String table) throws IOException {
    List<Layout> layouts =
        switch (table.substring(0, table.indexOf('-'))) {
          case "ste" -> SteLayout.ENTRY;
          case "cd" -> CdLayout.ENTRY;
          case "l1cd" -> List.of(CdLayout.L1CD);
          default -> List.of(StreamTableLayout.L1STD);
        };
    SecondSource source = SecondSource.read(SteLayout.class, table + ".txt");
    assertTrue(source.rows().size() > 1);
    for (SecondSource.Row row : source.rows()) {
      int word = row.name().charAt(0) - '0';
      String name = row.name().substring(2);
      Field field =
          layouts.get(word).fields().stream()
              .filter(f -> f.name().equals(name))
              .findAny()
              .orElseThrow();
      int msb = WIDER.contains(name) ? 55 : row.first();
      assertEquals(List.of(msb, row.last()), List.of(field.msb(), field.lsb()), row.name());
    }
  }
}
