package dev.doorbell.hw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.testkit.SecondSource;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The layouts and register maps that a package declares, and what tables typed from other publications say of them.
///
/// Everything is found that a static field of a class of the package holds, public or not: a layout that is added is compared
/// from its first day. In a table, a row `LAYOUT.FIELD first last` is a field of the layout, or of the register, of that name,
/// and a row `@REGISTER first last` the bytes that a register takes in its map (in decimal; the first of an array of registers;
/// `last` is `first` where the other publication says an offset alone). Where one name means different bits, it is
/// `CLASS.LAYOUT.FIELD`; of registers of one name in several maps, `@MAP.REGISTER`. Names are compared by their letters, digits
/// and dots alone.
public final class LayoutSource {
  private record Declared(String home, String name, Field field) {
    boolean sameBits(Declared other) {
      return field.mask() == other.field.mask();
    }
  }

  private final Class<?> beside;
  private final Map<String, List<Declared>> fields = new LinkedHashMap<>();
  private final Map<String, Register> registers = new TreeMap<>();

  private LayoutSource(Class<?> beside) {
    this.beside = beside;
  }

  /// {@return what the package of a class declares}
  ///
  /// @param member a class of the package; the tables are its resources
  /// @param ours classes whose layouts are Doorbell's own (a cache's tag, say) and no hardware's
  public static LayoutSource ofPackage(Class<?> member, Class<?>... ours) throws IOException {
    LayoutSource out = new LayoutSource(member);
    Set<Class<?>> left = Set.of(ours);
    for (Class<?> c : classes(member)) {
      if (!left.contains(c)) {
        out.add(c);
      }
    }
    assertTrue(!out.fields.isEmpty(), () -> "no layouts in " + member.getPackageName());
    return out;
  }

  /// Holds when every row of a table is declared so.
  public void agree(String table) throws IOException {
    SecondSource source = SecondSource.read(beside, table);
    Set<String> differences = new TreeSet<>();
    for (SecondSource.Row row : source.rows()) {
      if (row.name().startsWith("@")) {
        List<String> names = named(row.name());
        assertEquals(1, names.size(), () -> "registers named " + row.name() + ": " + names);
        Register r = Objects.requireNonNull(registers.get(names.getFirst()));
        long last = row.last() == row.first() ? row.first() : r.offset() + r.bytes() - 1;
        if (row.first() != r.offset() || row.last() != last) {
          differences.add(
              "%s is 0x%x to 0x%x here, 0x%x to 0x%x there"
                  .formatted(
                      row.name(), r.offset(), r.offset() + r.bytes() - 1, row.first(), row.last()));
        }
      } else {
        Field f = declared(row).field();
        int msb = row.atLeast() ? Math.max(row.first(), f.msb()) : row.first();
        if (f.msb() != msb || f.lsb() != row.last()) {
          differences.add(
              "%s is %d:%d here, %d:%d there"
                  .formatted(row.name(), f.msb(), f.lsb(), row.first(), row.last()));
        }
      }
    }
    assertEquals(Set.of(), differences, source.publication());
  }

  /// Holds when each field and each register's offset has a row in some table, or is named with its reason as one that has none,
  /// and not both. A row that leaves the top of an address open does not count.
  ///
  /// @param without names as this prints them, with the reason
  public void complete(Collection<String> tables, Map<String, String> without) throws IOException {
    Set<String> missing = new TreeSet<>(registers.keySet());
    fields.values().forEach(all -> all.forEach(d -> missing.add(label(d))));
    for (String table : tables) {
      for (SecondSource.Row row : SecondSource.read(beside, table).rows()) {
        if (!row.atLeast()) {
          fields.getOrDefault(key(row.name()), List.of()).forEach(d -> missing.remove(label(d)));
        }
        named(row.name()).forEach(missing::remove);
      }
    }
    assertEquals(new TreeSet<>(without.keySet()), missing);
  }

  /// Holds when each field of these classes' public layouts has a row in some table, or is named with its reason as one that has
  /// none, and not both: for tables whose rows are not named as here.
  ///
  /// @param rows `LAYOUT.FIELD` of every row
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

  private void add(Class<?> c) {
    for (java.lang.reflect.Field f : c.getDeclaredFields()) {
      if (Modifier.isStatic(f.getModifiers()) && holdsLayouts(f.getType())) {
        addValue(c.getSimpleName(), value(f));
      }
    }
  }

  private static boolean holdsLayouts(Class<?> type) {
    return type == Layout.class
        || type == Register.class
        || type == RegisterMap.class
        || Collection.class.isAssignableFrom(type);
  }

  private void addValue(String home, Object value) {
    switch (value) {
      case Layout layout -> addLayout(home, layout.name(), layout);
      case Register register -> {
        addLayout(home, register.layout().name(), register.layout());
        addLayout(home, register.name(), register.layout());
      }
      case RegisterMap map ->
          map.registers()
              .forEach(r -> {
                addValue(home, r);
                registers.put("@" + map.name() + "." + r.name(), r);
              });
      case Collection<?> all -> all.forEach(v -> addValue(home, v));
      default -> {}
    }
  }

  private void addLayout(String home, String name, Layout layout) {
    for (Field f : layout.fields()) {
      Declared d = new Declared(home, layout.name() + "." + f.name(), f);
      for (String key : List.of(name + "." + f.name(), home + "." + name + "." + f.name())) {
        List<Declared> all = fields.computeIfAbsent(key(key), k -> new ArrayList<>());
        if (!all.contains(d)) {
          all.add(d);
        }
      }
    }
  }

  /// {@return what a row speaks of; of several fields of that name, one of them}
  private Declared declared(SecondSource.Row row) {
    List<Declared> all = fields.getOrDefault(key(row.name()), List.of());
    assertTrue(!all.isEmpty(), () -> row.name() + " is not declared");
    assertTrue(
        all.stream().allMatch(all.getFirst()::sameBits),
        () -> row.name() + " means different bits: " + all);
    return all.getFirst();
  }

  private String label(Declared d) {
    List<Declared> all = fields.getOrDefault(key(d.name()), List.of(d));
    return all.stream().allMatch(d::sameBits) ? d.name() : d.home() + "." + d.name();
  }

  /// {@return the full names of registers that a row can mean}
  private List<String> named(String row) {
    String key = key(row);
    return registers.entrySet().stream()
        .filter(e -> key(e.getKey()).equals(key) || key("@" + e.getValue().name()).equals(key))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static Object value(java.lang.reflect.Field f) {
    try {
      f.setAccessible(true);
      return f.get(null);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Class<?>> classes(Class<?> member) throws IOException {
    ClassLoader loader = member.getClassLoader();
    String folder = member.getPackageName().replace('.', '/');
    Map<String, Class<?>> out = new TreeMap<>();
    for (URL url : Collections.list(loader.getResources(folder))) {
      String[] names = new File(URI.create(url.toString())).list();
      for (String name : names == null ? new String[0] : names) {
        if (name.endsWith(".class") && !name.startsWith("package-")) {
          String type = member.getPackageName() + "." + name.replaceAll("\\.class$", "");
          out.put(type, load(type, loader));
        }
      }
    }
    return List.copyOf(out.values());
  }

  private static Class<?> load(String type, ClassLoader loader) {
    try {
      return Class.forName(type, false, loader);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String key(String name) {
    return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9.@]", "");
  }
}
