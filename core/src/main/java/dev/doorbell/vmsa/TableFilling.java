package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// One mapping being written: first {@link #take} all tables that it needs, then {@link #fill}, which needs no more memory.
final class TableFilling {
  private final TableSpace space;
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final long delta;
  private final Protection protection;
  private final LiveWrites writes;
  private final Deque<Long> spare = new ArrayDeque<>();
  private final List<Long> taken = new ArrayList<>();

  /// @param delta output minus input
  TableFilling(TableSpace space, long delta, Protection protection, LiveWrites writes) {
    this.space = space;
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.delta = delta;
    this.protection = protection;
    this.writes = writes;
  }

  /// Takes the mapping back.
  ///
  /// {@return what to throw}
  RuntimeException takeBack(RuntimeException failed) {
    return writes.takeBack(failed, taken);
  }

  /// Takes the tables that mapping the range would link. `table` is 0 where the table does not exist yet.
  void take(long table, int level, AddressRange range) {
    if (level == VmsaGeometry.LAST_LEVEL) {
      return;
    }
    for (long at = range.start(); at <= range.last(); at = space.next(at, level)) {
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      long word = table == 0 ? 0 : memory.read64(space.slot(table, at, level));
      if (space.format().isTable(word, level)) {
        take(space.format().address(geometry, word), level + 1, part);
      } else if (!leafFits(part, level)) {
        long fresh = space.allocate(level + 1);
        taken.add(fresh);
        spare.add(fresh);
        take(0, level + 1, part);
      }
    }
  }

  /// Writes descriptors. In a live table each link is published before it is written.
  void fill(long table, int level, AddressRange range, boolean live) {
    for (long at = range.start(); at <= range.last(); at = space.next(at, level)) {
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      long slot = space.slot(table, at, level);
      if (leafFits(part, level) && !space.format().isTable(memory.read64(slot), level)) {
        write(table, at, level, space.format().leaf(geometry, level, at + delta, protection), live);
        continue;
      }
      long word = memory.read64(slot);
      if (space.format().isTable(word, level)) {
        fill(space.format().address(geometry, word), level + 1, part, live);
        continue;
      }
      long fresh = spare.remove();
      fill(fresh, level + 1, part, false);
      if (live) {
        memory.publish();
      }
      write(table, at, level, space.format().table(geometry, fresh), live);
    }
  }

  private void write(long table, long at, int level, long word, boolean live) {
    if (live) {
      writes.change(table, at, level, word);
    } else {
      memory.write64(space.slot(table, at, level), word);
    }
  }

  private boolean leafFits(AddressRange part, int level) {
    return space.format().leafAllowed(geometry, level)
        && part.bytes() == geometry.bytes(level)
        && geometry.offset(part.start() + delta, level) == 0;
  }
}
