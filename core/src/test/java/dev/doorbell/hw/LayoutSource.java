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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

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

  /// Holds when each field of these classes' layouts has a row in some table, or is named with its reason as one that has none, and not both.
  ///
  /// @param rows `LAYOUT.FIELD` of every row
  /// @param without `LAYOUT.FIELD` of fields that no other publication has, with the reason
  public static void complete(
      Set<String> rows, Map<String, String> without, List<Class<?>> declaring)
      throws IllegalAccessException {
    Set<String> missing = new TreeSet<>();
    for (Class<?> c : declaring) {
      for (java.lang.reflect.Field constant : c.getFields()) {
        if (constant.getType() == Layout.class) {
          Layout layout = (Layout) constant.get(null);
          layout.fields().forEach(f -> missing.add(layout.name() + "." + f.name()));
        }
      }
    }
    assertTrue(missing.size() > rows.size() / 2, "no layouts are declared");
    missing.removeAll(rows);
    assertEquals(new TreeSet<>(without.keySet()), missing);
  }

  private static String key(String name) {
    return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9.@]", "");
  }
}
