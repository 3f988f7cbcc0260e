package dev.doorbell.hw.imsic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.LayoutSource;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("AIA 1.0, 3: interrupt files' registers against other publications")
class ImsicSecondSourceTest {
  private static final List<String> TABLES = List.of("imsic-spike.txt", "imsic-linux.txt");
  private static final List<String> SELECTS = List.of("selects-linux.txt", "selects-spike.txt");

  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of(
          "seteipnum_le.Identity", "a whole word, which no publication names",
          "seteipnum_be.Identity, big-endian", "a whole word, which no publication names",
          "eidelivery.eidelivery", "a whole register, which no publication names",
          "eithreshold.eithreshold", "a whole register, which no publication names");

  @ParameterizedTest
  @ValueSource(strings = {"imsic-spike.txt", "imsic-linux.txt"})
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    LayoutSource.ofPackage(ImsicRegisters.class).agree(table);
  }

  @Test
  @DisplayName(
      "each field and each register's offset has a second source, or is named as one without")
  void complete() throws IOException {
    LayoutSource.ofPackage(ImsicRegisters.class).complete(TABLES, WITHOUT);
  }

  @Test
  @DisplayName(
      "each number of siselect, and the least and most identities, are those of another publication")
  void selects() throws IOException, IllegalAccessException {
    Map<String, Integer> declared = new TreeMap<>();
    for (Field f : ImsicRegisters.class.getFields()) {
      if (f.getType() == int.class) {
        declared.put(f.getName(), f.getInt(null));
      }
    }
    assertTrue(declared.size() >= 8, declared::toString);
    Set<String> without = new TreeSet<>(declared.keySet());
    for (String table : SELECTS) {
      SecondSource source = SecondSource.read(ImsicRegisters.class, table);
      for (SecondSource.Row row : source.rows()) {
        assertEquals(row.first(), declared.get(row.name()), source.publication());
        without.remove(row.name());
      }
    }
    assertEquals(Set.of(), without);
  }
}
