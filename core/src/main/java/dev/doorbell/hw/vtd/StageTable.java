package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Tables of one stage in memory, built and changed while hardware may walk them. A change happens whole or not at all. Not safe for use from
/// several threads at once: the owner holds a lock.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.6 (first-stage translation), 3.7 (second-stage translation), 9.7 and 9.8
/// (entries).
final class StageTable {
  private static final int ENTRIES = 1 << INDEX_BITS;
  private static final long TABLE_BYTES = (long) ENTRIES * BYTES;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final TableEntries entries;
  private final int levels;
  private final int largest;
  private final long root;

  /// Tables of a mapping that was taken back and that a unit may remember still: nobody else's until the end.
  private final List<Long> retired = new ArrayList<>();

  /// @param levels 3 to 5
  /// @param largest the highest level that may hold a page, 1 to 3
  StageTable(PhysicalMemory memory, Frames frames, TableEntries entries, int levels, int largest) {
    this.entries = entries;
    this.memory = memory;
    this.frames = frames;
    this.levels = levels;
    this.largest = largest;
    this.root = frames.allocate(TABLE_BYTES, TABLE_BYTES).value();
  }

  long root() {
    return root;
  }

  int levels() {
    return levels;
  }

  TableEntries entries() {
    return entries;
  }

  /// {@return bit n for pages of 2^n bytes}
  long pageSizes() {
    long sizes = 0;
    for (int level = 1; level <= largest; level++) {
      sizes |= 1L << shift(level);
    }
    return sizes;
  }

  private static int shift(int level) {
    return PAGE_BITS + (level - 1) * INDEX_BITS;
  }

  private static long slot(long table, long address, int level) {
    return table + (address >>> shift(level) & ENTRIES - 1) * BYTES;
  }

  private boolean isPresent(long entry) {
    return entries.isPresent(entry);
  }

  private static boolean isPage(long entry, int level) {
    return level == 1 || PS.isSet(entry);
  }

  /// Maps addresses, all of them or none, in the largest pages that fit.
  ///
  /// @param added told when all is mapped; what fails there takes the mapping back
  /// @param dropped told when a mapping that was begun is taken back, before any table is given back
  /// @throws IllegalArgumentException when part of it is mapped
  void map(
      AddressRange range,
      Pa pa,
      Protection protection,
      Consumer<AddressRange> added,
      Consumer<AddressRange> dropped) {
    long leaf = entries.page(protection);
    try (Rollback rollback = new Rollback()) {
      Filling filling = new Filling(range, pa.value() - range.start(), leaf, rollback);
      rollback.add(() -> {
        retired.addAll(filling.tables);
        memory.publish();
        dropped.accept(range);
        retired.removeAll(filling.tables);
        filling.tables.forEach(this::free);
      });
      long at = range.start();
      do {
        at += 1L << shift(filling.page(at));
      } while (at <= range.last());
      memory.publish();
      added.accept(range);
      rollback.commit();
    }
  }

  /// A mapping under way.
  private final class Filling {
    private final AddressRange range;
    private final long offset;
    private final long leaf;
    private final Rollback rollback;
    private final List<Long> tables = new ArrayList<>();

    Filling(AddressRange range, long offset, long leaf, Rollback rollback) {
      this.range = range;
      this.offset = offset;
      this.leaf = leaf;
      this.rollback = rollback;
    }

    /// Writes one page. {@return its level}
    int page(long at) {
      long table = root;
      for (int level = levels; ; level--) {
        long slot = slot(table, at, level);
        long entry = memory.read64(slot);
        if (isPresent(entry) && isPage(entry, level)) {
          throw new IllegalArgumentException(
              "0x%x is mapped already; unmap it first".formatted(at));
        }
        if (!isPresent(entry) && fits(level, at, at + offset, range)) {
          put(slot, leaf | ADDRESS.place(at + offset) | (level > 1 ? PS.mask() : 0));
          return level;
        }
        if (!isPresent(entry)) {
          long fresh = frames.allocate(TABLE_BYTES, TABLE_BYTES).value();
          tables.add(fresh);
          memory.publish();
          put(slot, ADDRESS.place(fresh) | entries.table());
          entry = fresh;
        }
        table = ADDRESS.get(entry);
      }
    }

    private void put(long slot, long entry) {
      rollback.add(() -> memory.write64(slot, 0));
      memory.write64(slot, entry);
    }
  }

  private boolean fits(int level, long at, long pa, AddressRange range) {
    long within = (1L << shift(level)) - 1;
    return level <= largest
        && ((at | pa) & within) == 0
        && Long.compareUnsigned(range.last() - at, within) >= 0;
  }

  /// Unmaps addresses, all of them or none; part of a page splits it.
  ///
  /// {@return bytes that were mapped}
  ///
  /// @param dropped told before this returns, and before any table is given back
  long unmap(AddressRange range, Consumer<AddressRange> dropped) {
    split(range.start());
    split(range.last() + 1);
    List<Long> emptied = new ArrayList<>();
    try (Rollback rollback = new Rollback()) {
      long bytes = clear(root, levels, range, emptied, rollback);
      if (bytes > 0) {
        memory.publish();
        dropped.accept(range);
      }
      rollback.commit();
      emptied.forEach(this::free);
      return bytes;
    }
  }

  /// Makes no page reach across an address. Translations stay as they are.
  private void split(long address) {
    long table = root;
    for (int level = levels; level > 1; level--) {
      if ((address & (1L << shift(level)) - 1) == 0 || address >>> shift(levels) >= ENTRIES) {
        return;
      }
      long slot = slot(table, address, level);
      long entry = memory.read64(slot);
      if (!isPresent(entry)) {
        return;
      }
      if (isPage(entry, level)) {
        memory.write64(slot, ADDRESS.place(parts(entry, level - 1)) | entries.table());
        memory.publish();
        entry = memory.read64(slot);
      }
      table = ADDRESS.get(entry);
    }
  }

  /// {@return a table of a level that maps what a page above it did}
  private long parts(long page, int level) {
    long table = frames.allocate(TABLE_BYTES, TABLE_BYTES).value();
    long bits = page & ~ADDRESS.mask() & ~PS.mask() | (level > 1 ? PS.mask() : 0);
    for (int i = 0; i < ENTRIES; i++) {
      long pa = ADDRESS.get(page) + ((long) i << shift(level));
      memory.write64(table + (long) i * BYTES, ADDRESS.place(pa) | bits);
    }
    memory.publish();
    return table;
  }

  private long clear(
      long table, int level, AddressRange range, List<Long> emptied, Rollback rollback) {
    long bytes = 0;
    long size = 1L << shift(level);
    for (long at = range.start() & -size; ; at += size) {
      long slot = slot(table, at, level);
      long entry = memory.read64(slot);
      if (isPresent(entry)) {
        if (isPage(entry, level)) {
          bytes += size;
          wipe(slot, entry, rollback);
        } else {
          long child = ADDRESS.get(entry);
          AddressRange part =
              new AddressRange(
                  Math.max(at, range.start()), Math.min(at + (size - 1), range.last()));
          bytes += clear(child, level - 1, part, emptied, rollback);
          if (isEmpty(child)) {
            wipe(slot, entry, rollback);
            emptied.add(child);
          }
        }
      }
      if (at + (size - 1) >= range.last()) {
        return bytes;
      }
    }
  }

  private void wipe(long slot, long entry, Rollback rollback) {
    rollback.add(() -> memory.write64(slot, entry));
    memory.write64(slot, 0);
  }

  private boolean isEmpty(long table) {
    for (int i = 0; i < ENTRIES; i++) {
      if (memory.read64(table + (long) i * BYTES) != 0) {
        return false;
      }
    }
    return true;
  }

  Optional<Pa> translate(Iova iova) {
    long address = iova.value();
    long table = root;
    for (int level = levels; level >= 1; level--) {
      long entry = memory.read64(slot(table, address, level));
      if (!isPresent(entry)) {
        return Optional.empty();
      }
      if (isPage(entry, level)) {
        return Optional.of(new Pa(ADDRESS.get(entry) + (address & (1L << shift(level)) - 1)));
      }
      table = ADDRESS.get(entry);
    }
    return Optional.empty();
  }

  private void free(long table) {
    frames.free(new Pa(table), TABLE_BYTES);
  }

  /// Gives all tables back. Nobody may walk or cache them any more.
  void close() {
    close(root, levels);
    retired.forEach(this::free);
    retired.clear();
  }

  private void close(long table, int level) {
    for (int i = 0; level > 1 && i < ENTRIES; i++) {
      long entry = memory.read64(table + (long) i * BYTES);
      if (isPresent(entry) && !isPage(entry, level) && !retired.contains(ADDRESS.get(entry))) {
        close(ADDRESS.get(entry), level - 1);
      }
    }
    free(table);
  }
}
