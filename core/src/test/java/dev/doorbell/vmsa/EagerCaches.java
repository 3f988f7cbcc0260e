package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Hardware that walks a descriptor in the moment in which it is written, and keeps all that it ever saw, tables and translations, until they
/// are invalidated. Checks break-before-make and that no table that it knows is given back.
final class EagerCaches implements TlbInvalidation {
  /// A table, by the first input address that it translates.
  private record Table(long input, int level) {}

  /// A block or page.
  private record Leaf(long bytes, long output) {}

  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final boolean replacesLive;
  private final long root;
  private final Map<Long, Table> tables = new HashMap<>();
  private final TreeMap<Long, Leaf> leaves = new TreeMap<>();
  private int invalidations;
  private int failAt;
  private boolean dead;

  EagerCaches(VmsaTable table, PhysicalMemory memory, boolean replacesLive) {
    this.geometry = table.geometry();
    this.memory = memory;
    this.replacesLive = replacesLive;
    this.root = table.root().value();
    tables.put(table.root().value(), new Table(0, geometry.startLevel()));
  }

  /// Makes the n-th invalidation from now fail, and those after it, too, when `forGood`.
  void failAt(int nth, boolean forGood) {
    failAt = invalidations + nth;
    dead = forGood;
  }

  /// Lets none fail any more.
  void work() {
    failAt = 0;
  }

  void written(long pa, long word) {
    long at = geometry.granule().alignDown(pa);
    Table table = tables.get(at);
    if (table != null) {
      walk(table, (int) ((pa - at) / DescriptorLayout.BYTES), word);
    }
  }

  private void walk(Table table, int index, long word) {
    long input = table.input() + index * geometry.bytes(table.level());
    if (Descriptors.isLeaf(word, table.level())) {
      Leaf leaf = new Leaf(geometry.bytes(table.level()), Descriptors.address(geometry, word));
      leaves
          .subMap(input, input + leaf.bytes())
          .forEach((at, known) -> check(input, leaf, at, known));
      for (int level = 1; level < table.level(); level++) {
        long at = geometry.alignDown(input, level);
        Leaf known = leaves.get(at);
        if (known != null) {
          check(input, leaf, at, known);
        }
      }
      leaves.merge(input, leaf, (known, found) -> known.bytes() > found.bytes() ? known : found);
    } else if (Descriptors.isTable(word, table.level())) {
      Table below = new Table(input, table.level() + 1);
      long at = Descriptors.address(geometry, word);
      Table known = tables.putIfAbsent(at, below);
      assertTrue(known == null || known.equals(below), "a table in two places");
      for (int i = 0; i < geometry.entries(below.level()); i++) {
        walk(below, i, memory.read64(at + (long) i * DescriptorLayout.BYTES));
      }
    }
  }

  private void check(long input, Leaf leaf, long at, Leaf known) {
    boolean apart = at + known.bytes() <= input;
    boolean same = known.output() - at == leaf.output() - input;
    boolean allowed = replacesLive ? same : at == input && known.equals(leaf);
    assertTrue(apart || allowed, () -> "break before make: " + known + " and " + leaf);
  }

  @Override
  public void invalidate(AddressRange range, boolean leafOnly) {
    invalidations++;
    if (failAt > 0 && (dead ? invalidations >= failAt : invalidations == failAt)) {
      throw new IllegalStateException("invalidation " + invalidations + " failed");
    }
    leaves
        .entrySet()
        .removeIf(e -> AddressRange.ofSize(e.getKey(), e.getValue().bytes()).overlaps(range));
    if (!leafOnly) {
      tables
          .values()
          .removeIf(t ->
              t.level() > geometry.startLevel()
                  && AddressRange.ofSize(t.input(), geometry.bytes(t.level() - 1)).overlaps(range));
    }
    // What is still linked is seen again.
    Table start = new Table(0, geometry.startLevel());
    for (int i = 0; i < geometry.entries(start.level()); i++) {
      long at = root + (long) i * DescriptorLayout.BYTES;
      walk(start, i, memory.read64(at));
    }
  }

  /// {@return whether hardware may walk the table that an address lies in}
  boolean knows(long pa) {
    return tables.containsKey(geometry.granule().alignDown(pa));
  }

  void freed(long table) {
    assertFalse(tables.containsKey(table), "a table that caches know was given back");
  }

  /// Every translation in here is what the tables say.
  void agreeWith(VmsaTable table, String when) {
    leaves.forEach((input, leaf) -> {
      assertEquals(leaf.output(), table.lookup(input), when);
      long last = leaf.bytes() - 1;
      assertEquals(leaf.output() + last, table.lookup(input + last), when);
    });
  }
}
