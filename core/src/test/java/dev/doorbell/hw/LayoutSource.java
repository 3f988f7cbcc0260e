package dev.doorbell.hw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Compares declared layouts and maps with a table typed from another publication. A row `LAYOUT.FIELD first last` is a field, a row
/// `@REGISTER offset offset` a register's offset (in decimal).
public final class LayoutSource {
  private LayoutSource() {}

  /// Holds when every row of the table is declared so.
  public static void check(
      Class<?> beside, String resource, Collection<Layout> layouts, Collection<RegisterMap> maps)
      throws IOException {
    Map<String, Field> fields = new TreeMap<>();
    for (Layout layout : layouts) {
      layout.fields().forEach(f -> fields.put(key(layout.name() + "." + f.name()), f));
    }
    Map<String, Register> registers = new TreeMap<>();
    maps.forEach(map -> map.registers().forEach(r -> registers.put(key("@" + r.name()), r)));
    SecondSource table = SecondSource.read(beside, resource);
    assertTrue(table.rows().size() > 5, "the table is almost empty");
    for (SecondSource.Row row : table.rows()) {
      if (row.name().startsWith("@")) {
        Register r = registers.get(key(row.name()));
        assertTrue(
            r != null, () -> row.name() + " is not declared; declared are " + registers.keySet());
        assertEquals(row.first(), r.offset(), () -> row.name() + " of " + table.publication());
      } else {
        Field f = fields.get(key(row.name()));
        assertTrue(
            f != null, () -> row.name() + " is not declared; declared are " + fields.keySet());
        assertEquals(
            row.first() + ":" + row.last(),
            f.msb() + ":" + f.lsb(),
            () -> row.name() + " of " + table.publication());
      }
    }
  }

  private static String key(String name) {
    return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9.@]", "");
  }
}
