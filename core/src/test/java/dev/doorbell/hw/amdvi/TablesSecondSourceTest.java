package dev.doorbell.hw.amdvi;

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
  private static final String UNUSED = "neither Linux nor QEMU names it";

  private static List<String> tables() {
    return List.of("dte-linux", "dte-qemu", "irte-linux", "tables-linux");
  }

  private static List<Layout> layouts(String table) {
    return switch (table.substring(0, table.indexOf('-'))) {
      case "dte" -> DteLayout.ENTRY;
      case "irte" ->
          List.of(
              IrteLayout.NARROW,
              IrteLayout.LOW,
              IrteLayout.HIGH,
              IrteLayout.GUEST_LOW,
              IrteLayout.GUEST_HIGH);
      default -> List.of(IoPageLayout.ENTRY, IrteLayout.MESSAGE_DATA);
    };
  }

  private static String field(SecondSource.Row row) {
    return row.name().substring(2).replace('_', ' ');
  }

  @Test
  @DisplayName("every field that is declared has a second source, or is listed as one without")
  void complete() throws IOException, IllegalAccessException {
    Set<String> rows = new TreeSet<>();
    for (String table : tables()) {
      for (SecondSource.Row row : SecondSource.read(DteLayout.class, table + ".txt").rows()) {
        rows.add(layouts(table).get(row.name().charAt(0) - '0').name() + "." + field(row));
      }
    }
    Map<String, String> without = new TreeMap<>();
    for (String f :
        List.of(
            "DTE[0].GPRP",
            "DTE[1].SE",
            "DTE[1].SA",
            "DTE[1].IoCtl",
            "DTE[1].Cache",
            "DTE[1].SD",
            "DTE[1].SATS",
            "DTE[2].IG",
            "DTE[2].HPTMode",
            "DTE[3].AttrV",
            "DTE[3].Mode0FC",
            "DTE[3].SnoopAttribute",
            "I/O page table entry.A")) {
      without.put(f, UNUSED);
    }
    LayoutSource.complete(
        rows, without, List.of(DteLayout.class, IrteLayout.class, IoPageLayout.class));
  }

  @ParameterizedTest
  @DisplayName("48882 2.2: entries agree with other publications bit by bit")
  @MethodSource("tables")
  void agree(String table) throws IOException {
    List<Layout> layouts = layouts(table);
    SecondSource source = SecondSource.read(DteLayout.class, table + ".txt");
    assertTrue(source.rows().size() > 1);
    for (SecondSource.Row row : source.rows()) {
      int word = row.name().charAt(0) - '0';
      String name = field(row);
      Field field =
          layouts.get(word).fields().stream()
              .filter(f -> f.name().equals(name))
              .findAny()
              .orElseThrow();
      assertEquals(List.of(row.last(), row.first()), List.of(field.msb(), field.lsb()), row.name());
    }
  }
}
