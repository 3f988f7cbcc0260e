package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// One unmapping: first {@link #take} the tables that cut blocks need, then {@link #clear}, and {@link #takeBack} when that or the invalidation
/// fails. Tables that it unlinks stay as they are, since hardware may still walk them until the invalidation.
final class TableClearing {
  private final TableSpace space;
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final boolean replacesLive;
  private final TlbInvalidation invalidation;
  private final LiveWrites writes;
  private final Deque<Long> spare = new ArrayDeque<>();
  private final List<Long> taken = new ArrayList<>();
  private final List<Long> unlinked = new ArrayList<>();

  TableClearing(TableSpace space, boolean replacesLive, TlbInvalidation invalidation) {
    this.space = space;
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.replacesLive = replacesLive;
    this.invalidation = invalidation;
    this.writes = new LiveWrites(space, invalidation);
  }

  /// {@return the tables that were unlinked}
  List<Long> unlinked() {
    return unlinked;
  }

  /// Takes the unmapping back, splits included.
  ///
  /// {@return what to throw}
  RuntimeException takeBack(RuntimeException failed) {
    return writes.takeBack(failed, taken);
  }

  /// Takes the tables that splitting blocks at the range's two ends needs. At most two blocks are cut.
  void take(long table, int level, AddressRange range) {
    for (long end : new long[] {range.start(), range.last()}) {
      long word = memory.read64(space.slot(table, end, level));
      AddressRange part = space.clip(end, level, range);
      boolean whole = part.bytes() == geometry.bytes(level);
      if (space.format().isTable(word, level) && !whole) {
        take(space.format().address(geometry, word), level + 1, part);
      } else if (space.format().isLeaf(word, level) && !whole) {
        takeForSplit(level, part);
      }
      if (geometry.alignDown(range.start(), level) == geometry.alignDown(range.last(), level)) {
        return;
      }
    }
  }

  private void takeForSplit(int level, AddressRange hole) {
    long fresh = space.allocate(level + 1);
    taken.add(fresh);
    spare.add(fresh);
    for (long end : new long[] {hole.start(), hole.last()}) {
      AddressRange part = space.clip(end, level + 1, hole);
      if (part.bytes() != geometry.bytes(level + 1)) {
        takeForSplit(level + 1, part);
      }
      if (geometry.alignDown(hole.start(), level + 1)
          == geometry.alignDown(hole.last(), level + 1)) {
        return;
      }
    }
  }

  /// {@return bytes that were mapped in the range of this table}
  long clear(long table, int level, AddressRange range) {
    long cleared = 0;
    for (long at = range.start(); at <= range.last(); at = space.next(at, level)) {
      long slot = space.slot(table, at, level);
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      boolean whole = part.bytes() == geometry.bytes(level);
      if (space.format().isLeaf(memory.read64(slot), level)) {
        if (whole) {
          writes.change(table, at, level, 0);
          cleared += part.bytes();
          continue;
        }
        split(table, level, part);
      }
      long word = memory.read64(slot);
      if (space.format().isTable(word, level)) {
        cleared += clearBelow(table, at, level, part);
      }
    }
    return cleared;
  }

  /// Clears a part of what the table behind a descriptor maps; one that maps nothing any more is unlinked.
  private long clearBelow(long table, long at, int level, AddressRange part) {
    long below = space.format().address(geometry, memory.read64(space.slot(table, at, level)));
    if (part.bytes() == geometry.bytes(level)) {
      writes.change(table, at, level, 0);
      long cleared = space.collect(below, level + 1, unlinked);
      unlinked.add(below);
      return cleared;
    }
    long cleared = clear(below, level + 1, part);
    if (space.isEmpty(below, level + 1)) {
      writes.change(table, at, level, 0);
      unlinked.add(below);
    }
    return cleared;
  }

  /// Replaces a block by a table of the same translations, fine enough for a part of it to be taken away.
  ///
  /// Where the hardware may not see a block become a table (DDI 0487 M.a.a, D8.17.1, break-before-make), the block is first taken away and
  /// invalidated.
  private void split(long table, int level, AddressRange hole) {
    long fresh = refined(level + 1, memory.read64(space.slot(table, hole.start(), level)), hole);
    memory.publish();
    AddressRange block =
        AddressRange.ofSize(geometry.alignDown(hole.start(), level), geometry.bytes(level));
    if (!replacesLive) {
      writes.change(table, hole.start(), level, 0);
      memory.publish();
      invalidation.invalidate(block, true);
    }
    writes.change(table, hole.start(), level, space.format().table(geometry, fresh));
    if (replacesLive) {
      memory.publish();
      invalidation.invalidate(block, true);
    }
  }

  /// {@return a new table of a level that maps what the block one level up maps; in smaller pieces where the hole begins and ends}
  private long refined(int level, long block, AddressRange hole) {
    long fresh = spare.remove();
    long start = geometry.alignDown(hole.start(), level - 1);
    long output = space.format().address(geometry, block);
    for (int i = 0; i < geometry.entries(level); i++) {
      AddressRange child =
          AddressRange.ofSize(start + i * geometry.bytes(level), geometry.bytes(level));
      long leaf = space.format().rebase(geometry, block, level, output + (child.start() - start));
      Optional<AddressRange> cut = child.intersection(hole);
      boolean whole = cut.isEmpty() || cut.get().equals(child);
      long word =
          whole ? leaf : space.format().table(geometry, refined(level + 1, leaf, cut.get()));
      memory.write64(fresh + (long) i * DescriptorLayout.BYTES, word);
    }
    return fresh;
  }
}
