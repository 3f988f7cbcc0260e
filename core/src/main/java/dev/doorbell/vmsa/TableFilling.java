package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import java.util.ArrayDeque;
import java.util.Deque;

/// One mapping being written: first {@link #take} all tables that it needs, then {@link #fill}, which needs no more memory.
final class TableFilling {
  private final TableSpace space;
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final long delta;
  private final Protection protection;
  private final Deque<Long> spare = new ArrayDeque<>();

  /// @param delta output minus input
  TableFilling(TableSpace space, long delta, Protection protection) {
    this.space = space;
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.delta = delta;
    this.protection = protection;
  }

  /// Gives back the tables that were taken and not linked.
  void giveBack() {
    space.giveBack(spare);
    spare.clear();
  }

  /// Takes the tables that mapping the range would link. `table` is 0 where the table does not exist yet.
  void take(long table, int level, AddressRange range) {
    if (level == VmsaGeometry.LAST_LEVEL) {
      return;
    }
    for (long at = range.start(); at <= range.last(); at = space.next(at, level)) {
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      long word = table == 0 ? 0 : memory.read64(space.slot(table, at, level));
      if (Descriptors.isTable(word, level)) {
        take(Descriptors.address(geometry, word), level + 1, part);
      } else if (!leafFits(part, level)) {
        spare.add(space.allocate(level + 1));
        take(0, level + 1, part);
      }
    }
  }

  /// Writes descriptors. In a live table each link is published before it is written.
  void fill(long table, int level, AddressRange range, boolean live) {
    for (long at = range.start(); at <= range.last(); at = space.next(at, level)) {
      AddressRange part = new AddressRange(at, space.upTo(at, level, range.last()));
      long slot = space.slot(table, at, level);
      if (leafFits(part, level) && !Descriptors.isTable(memory.read64(slot), level)) {
        memory.write64(slot, Descriptors.leaf(geometry, level, at + delta, protection));
        continue;
      }
      long word = memory.read64(slot);
      if (Descriptors.isTable(word, level)) {
        fill(Descriptors.address(geometry, word), level + 1, part, live);
        continue;
      }
      long fresh = spare.remove();
      fill(fresh, level + 1, part, false);
      if (live) {
        memory.publish();
      }
      memory.write64(slot, Descriptors.table(geometry, fresh));
    }
  }

  private boolean leafFits(AddressRange part, int level) {
    return geometry.leafAllowed(level)
        && part.bytes() == geometry.bytes(level)
        && geometry.offset(part.start() + delta, level) == 0;
  }
}
