package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// One unmapping: first {@link #take} the tables that cut blocks need, then {@link #clear}. Tables that it unlinks stay as they are, since
/// hardware may still walk them until the invalidation.
final class TableClearing {
  private final TableSpace space;
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final boolean replacesLive;
  private final TlbInvalidation invalidation;
  private final Deque<Long> spare = new ArrayDeque<>();
  private final List<Long> unlinked = new ArrayList<>();

  TableClearing(TableSpace space, boolean replacesLive, TlbInvalidation invalidation) {
    this.space = space;
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.replacesLive = replacesLive;
    this.invalidation = invalidation;
  }

  /// {@return the tables that were unlinked}
  List<Long> unlinked() {
    return unlinked;
  }

  /// Gives back the tables that were taken and not linked.
  void giveBack() {
    space.giveBack(spare);
    spare.clear();
  }

  /// Takes the tables that splitting blocks at the range's two ends needs. At most two blocks are cut.
  void take(long table, int level, AddressRange range) {
    for (long end : new long[] {range.start(), range.last()}) {
      long word = memory.read64(space.slot(table, end, level));
      AddressRange part = space.clip(end, level, range);
      boolean whole = part.bytes() == geometry.bytes(level);
      if (Descriptors.isTable(word, level) && !whole) {
        take(Descriptors.address(geometry, word), level + 1, part);
      } else if (Descriptors.isLeaf(word, level) && !whole) {
        takeForSplit(level, part);
      }
      if (geometry.alignDown(range.start(), level) == geometry.alignDown(range.last(), level)) {
        return;
      }
    }
  }

  private void takeForSplit(int level, AddressRange hole) {
    spare.add(space.allocate(level + 1));
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
      long word = memory.read64(slot);
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      boolean whole = part.bytes() == geometry.bytes(level);
      if (Descriptors.isLeaf(word, level)) {
        if (whole) {
          memory.write64(slot, 0);
        } else {
          split(slot, level, part);
        }
        cleared += part.bytes();
      } else if (Descriptors.isTable(word, level)) {
        long below = Descriptors.address(geometry, word);
        if (whole) {
          memory.write64(slot, 0);
          cleared += space.collect(below, level + 1, unlinked);
          unlinked.add(below);
        } else {
          cleared += clear(below, level + 1, part);
          if (space.isEmpty(below, level + 1)) {
            memory.write64(slot, 0);
            unlinked.add(below);
          }
        }
      }
    }
    return cleared;
  }

  /// Replaces a block by a table that maps all of it but the hole.
  ///
  /// Where the hardware may not see a block become a table (DDI 0487 D8.16.1, break-before-make), the block is first taken away and
  /// invalidated.
  private void split(long slot, int level, AddressRange hole) {
    long block = memory.read64(slot);
    long fresh = splitTable(level + 1, block, hole);
    memory.publish();
    AddressRange all =
        AddressRange.ofSize(geometry.alignDown(hole.start(), level), geometry.bytes(level));
    if (replacesLive) {
      memory.write64(slot, Descriptors.table(geometry, fresh));
      memory.publish();
      invalidation.invalidate(all, true);
      return;
    }
    memory.write64(slot, 0);
    memory.publish();
    try {
      invalidation.invalidate(all, true);
    } catch (RuntimeException failed) {
      memory.write64(slot, block);
      space.collect(fresh, level + 1, unlinked);
      unlinked.add(fresh);
      throw failed;
    }
    memory.write64(slot, Descriptors.table(geometry, fresh));
  }

  /// {@return a new table of a level that maps what the block one level up maps, except the hole}
  private long splitTable(int level, long block, AddressRange hole) {
    long fresh = spare.remove();
    long start = geometry.alignDown(hole.start(), level - 1);
    long output = Descriptors.address(geometry, block);
    for (int i = 0; i < geometry.entries(level); i++) {
      AddressRange child =
          AddressRange.ofSize(start + i * geometry.bytes(level), geometry.bytes(level));
      long pa = output + (child.start() - start);
      long slot = fresh + (long) i * DescriptorLayout.BYTES;
      Optional<AddressRange> cut = child.intersection(hole);
      if (cut.isEmpty()) {
        memory.write64(slot, Descriptors.rebase(geometry, level, block, pa));
      } else if (!cut.get().equals(child)) {
        long below =
            splitTable(level + 1, Descriptors.rebase(geometry, level, block, pa), cut.get());
        memory.write64(slot, Descriptors.table(geometry, below));
      }
    }
    return fresh;
  }
}
