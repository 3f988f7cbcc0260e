package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// One set of translation tables in memory, built and changed while hardware may walk them.
///
/// All memory that a change needs is taken before the first descriptor is written, so that a change happens whole or not at all. A
/// new table is filled and published before it is linked. A table is given back only after the invalidation that follows its
/// unlinking. Not safe for use from several threads at once: the owner holds a lock.
public final class VmsaTable implements AutoCloseable {
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final boolean replacesLive;
  private final long root;
  private final List<Long> quarantine = new ArrayList<>();
  private boolean closed;

  private VmsaTable(
      VmsaGeometry geometry, PhysicalMemory memory, Frames frames, boolean replacesLive) {
    this.geometry = geometry;
    this.memory = memory;
    this.frames = frames;
    this.replacesLive = replacesLive;
    this.root = allocate(geometry.startLevel());
  }

  /// {@return empty tables}
  ///
  /// @param replacesLive whether all that walk the tables let a block be replaced by a table of the same translations in one write
  ///     (break-before-make level 2); otherwise a split leaves the rest of the block unmapped for a moment
  /// @throws OutOfFramesException when there is no memory for the start table
  public static VmsaTable create(
      VmsaGeometry geometry, PhysicalMemory memory, Frames frames, boolean replacesLive) {
    return new VmsaTable(geometry, memory, frames, replacesLive);
  }

  public VmsaGeometry geometry() {
    return geometry;
  }

  /// {@return the address of the start table}
  public Pa root() {
    return new Pa(root);
  }

  /// Maps input addresses, all of them or, when it fails, none; in the largest blocks that fit.
  ///
  /// @throws IllegalArgumentException when misaligned, outside the input or output width, or when part of it is mapped
  /// @throws OutOfFramesException when there is no memory for tables
  public void map(Iova input, Pa output, long bytes, Protection protection) {
    AddressRange range = checked(input, bytes);
    if (!geometry.granule().isAligned(output.value())) {
      throw new IllegalArgumentException(
          "mapping %s to %s is not aligned to the granule %s"
              .formatted(input, output, geometry.granule()));
    }
    if (!protection.read() && !protection.write()) {
      throw new IllegalArgumentException(
          "mapping %s would allow neither read nor write".formatted(range));
    }
    if (!fits(output, bytes)) {
      throw new IllegalArgumentException(
          "mapping %s to %s leaves the %d-bit output"
              .formatted(range, output, geometry.outputBits()));
    }
    long taken = firstMapped(root, geometry.startLevel(), range.start(), range.last());
    if (taken >= 0) {
      throw new IllegalArgumentException(
          "mapping %s meets a mapping at 0x%x; unmap it first".formatted(range, taken));
    }
    Deque<Long> spare = new ArrayDeque<>();
    try {
      takeForMap(spare, root, geometry.startLevel(), range, output.value() - input.value());
    } catch (OutOfFramesException none) {
      giveBack(spare);
      throw none;
    }
    fill(
        new Filling(output.value() - input.value(), protection, spare),
        root,
        geometry.startLevel(),
        range,
        true);
    memory.publish();
  }

  /// Unmaps input addresses; part of a block splits it. Addresses that are not mapped are passed over.
  ///
  /// {@return bytes that were mapped}
  ///
  /// @param invalidation told before this returns, and before any table is given back
  /// @throws IllegalArgumentException when misaligned or outside the input width
  /// @throws OutOfFramesException when a block must be split and there is no memory; nothing is unmapped then
  public long unmap(Iova input, long bytes, TlbInvalidation invalidation) {
    AddressRange range = checked(input, bytes);
    Deque<Long> spare = new ArrayDeque<>();
    try {
      takeForUnmap(spare, root, geometry.startLevel(), range);
    } catch (OutOfFramesException none) {
      giveBack(spare);
      throw none;
    }
    Clearing clearing = new Clearing(spare, invalidation, new ArrayList<>());
    long cleared;
    try {
      cleared = clear(clearing, root, geometry.startLevel(), range);
      if (cleared > 0 || !clearing.unlinked.isEmpty()) {
        memory.publish();
        invalidation.invalidate(range, clearing.unlinked.isEmpty());
      }
    } catch (RuntimeException failed) {
      // What walks the tables may still hold the unlinked ones: they are not used again until all
      // is invalidated.
      quarantine.addAll(clearing.unlinked);
      giveBack(spare);
      throw failed;
    }
    giveBack(clearing.unlinked);
    return cleared;
  }

  /// {@return what the tables say for an address}
  public Optional<Pa> translate(Iova input) {
    long pa = lookup(input.value());
    return pa < 0 ? Optional.empty() : Optional.of(new Pa(pa));
  }

  /// {@return the output address, or -1 when there is none; allocates nothing up to 48 output bits}
  public long lookup(long input) {
    if (closed || !geometry.aperture().contains(input)) {
      return -1;
    }
    long table = root;
    for (int level = geometry.startLevel(); level <= VmsaGeometry.LAST_LEVEL; level++) {
      long word = memory.read64(slot(table, input, level));
      if (Descriptors.isLeaf(word, level)) {
        return Descriptors.address(geometry, word) + geometry.offset(input, level);
      }
      if (!Descriptors.isTable(word, level)) {
        return -1;
      }
      table = Descriptors.address(geometry, word);
    }
    return -1;
  }

  /// Gives all tables back. Nobody may walk or cache them any more.
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    giveBack(quarantine);
    quarantine.clear();
    List<Long> tables = new ArrayList<>();
    collect(root, geometry.startLevel(), tables);
    giveBack(tables);
    frames.free(new Pa(root), allocationBytes(geometry.startLevel()));
  }

  /// What a fill needs in every table: output minus input, the rights, and empty tables.
  private record Filling(long delta, Protection protection, Deque<Long> spare) {}

  /// What an unmap needs in every table, and the tables that it unlinked.
  private record Clearing(Deque<Long> spare, TlbInvalidation invalidation, List<Long> unlinked) {}

  private AddressRange checked(Iova input, long bytes) {
    if (closed) {
      throw new IllegalStateException("the tables at 0x%x are closed".formatted(root));
    }
    if (bytes <= 0
        || !geometry.granule().isAligned(bytes)
        || !geometry.granule().isAligned(input.value())) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s are not whole granules of %s"
              .formatted(bytes, input, geometry.granule()));
    }
    long last = input.value() + (bytes - 1);
    if (Long.compareUnsigned(last, input.value()) < 0
        || !geometry.aperture().contains(new AddressRange(input.value(), last))) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s leave the %d-bit input %s"
              .formatted(bytes, input, geometry.inputBits(), geometry.aperture()));
    }
    return new AddressRange(input.value(), last);
  }

  private boolean fits(Pa output, long bytes) {
    long last = output.value() + (bytes - 1);
    return Long.compareUnsigned(last, output.value()) >= 0
        && geometry.outputHolds(new AddressRange(output.value(), last));
  }

  /// {@return the first mapped input address in the range, or -1}
  private long firstMapped(long table, int level, long start, long last) {
    for (long at = start; at <= last; at = next(at, level)) {
      long word = memory.read64(slot(table, at, level));
      if (Descriptors.isLeaf(word, level)) {
        return at;
      }
      if (Descriptors.isTable(word, level)) {
        long found =
            firstMapped(Descriptors.address(geometry, word), level + 1, at, upTo(at, level, last));
        if (found >= 0) {
          return found;
        }
      }
    }
    return -1;
  }

  /// Takes the tables that mapping the range would link. `table` is 0 where the table does not exist yet.
  private void takeForMap(
      Deque<Long> spare, long table, int level, AddressRange range, long delta) {
    if (level == VmsaGeometry.LAST_LEVEL) {
      return;
    }
    for (long at = range.start(); at <= range.last(); at = next(at, level)) {
      AddressRange part = new AddressRange(at, upTo(at, level, range.last()));
      long word = table == 0 ? 0 : memory.read64(slot(table, at, level));
      if (Descriptors.isTable(word, level)) {
        takeForMap(spare, Descriptors.address(geometry, word), level + 1, part, delta);
      } else if (!leafFits(part, level, delta)) {
        spare.add(allocate(level + 1));
        takeForMap(spare, 0, level + 1, part, delta);
      }
    }
  }

  /// Writes descriptors. In a live table each link is published before it is written.
  private void fill(Filling filling, long table, int level, AddressRange range, boolean live) {
    for (long at = range.start(); at <= range.last(); at = next(at, level)) {
      AddressRange part = new AddressRange(at, upTo(at, level, range.last()));
      long slot = slot(table, at, level);
      if (leafFits(part, level, filling.delta)
          && !Descriptors.isTable(memory.read64(slot), level)) {
        memory.write64(
            slot, Descriptors.leaf(geometry, level, at + filling.delta, filling.protection));
        continue;
      }
      long word = memory.read64(slot);
      if (Descriptors.isTable(word, level)) {
        fill(filling, Descriptors.address(geometry, word), level + 1, part, live);
        continue;
      }
      long fresh = filling.spare.remove();
      fill(filling, fresh, level + 1, part, false);
      if (live) {
        memory.publish();
      }
      memory.write64(slot, Descriptors.table(geometry, fresh));
    }
  }

  /// Takes the tables that splitting blocks at the range's two ends needs. At most two blocks are cut.
  private void takeForUnmap(Deque<Long> spare, long table, int level, AddressRange range) {
    for (long end : new long[] {range.start(), range.last()}) {
      long word = memory.read64(slot(table, end, level));
      AddressRange part = clip(end, level, range);
      boolean whole = part.bytes() == geometry.bytes(level);
      if (Descriptors.isTable(word, level) && !whole) {
        takeForUnmap(spare, Descriptors.address(geometry, word), level + 1, part);
      } else if (Descriptors.isLeaf(word, level) && !whole) {
        takeForSplit(spare, level, part);
      }
      if (geometry.alignDown(range.start(), level) == geometry.alignDown(range.last(), level)) {
        return;
      }
    }
  }

  private void takeForSplit(Deque<Long> spare, int level, AddressRange hole) {
    spare.add(allocate(level + 1));
    for (long end : new long[] {hole.start(), hole.last()}) {
      AddressRange part = clip(end, level + 1, hole);
      if (part.bytes() != geometry.bytes(level + 1)) {
        takeForSplit(spare, level + 1, part);
      }
      if (geometry.alignDown(hole.start(), level + 1)
          == geometry.alignDown(hole.last(), level + 1)) {
        return;
      }
    }
  }

  /// {@return bytes that were mapped in the range of this table}
  private long clear(Clearing clearing, long table, int level, AddressRange range) {
    long cleared = 0;
    for (long at = range.start(); at <= range.last(); at = next(at, level)) {
      long slot = slot(table, at, level);
      long word = memory.read64(slot);
      AddressRange part = new AddressRange(at, upTo(at, level, range.last()));
      boolean whole = part.bytes() == geometry.bytes(level);
      if (Descriptors.isLeaf(word, level)) {
        if (whole) {
          memory.write64(slot, 0);
        } else {
          split(clearing, slot, level, part);
        }
        cleared += part.bytes();
      } else if (Descriptors.isTable(word, level)) {
        long below = Descriptors.address(geometry, word);
        if (whole) {
          memory.write64(slot, 0);
          cleared += collect(below, level + 1, clearing.unlinked);
          clearing.unlinked.add(below);
        } else {
          cleared += clear(clearing, below, level + 1, part);
          if (isEmpty(below, level + 1)) {
            memory.write64(slot, 0);
            clearing.unlinked.add(below);
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
  private void split(Clearing clearing, long slot, int level, AddressRange hole) {
    long block = memory.read64(slot);
    long fresh = splitTable(clearing.spare, level + 1, block, hole);
    memory.publish();
    AddressRange all =
        AddressRange.ofSize(geometry.alignDown(hole.start(), level), geometry.bytes(level));
    if (replacesLive) {
      memory.write64(slot, Descriptors.table(geometry, fresh));
      memory.publish();
      clearing.invalidation.invalidate(all, true);
      return;
    }
    memory.write64(slot, 0);
    memory.publish();
    try {
      clearing.invalidation.invalidate(all, true);
    } catch (RuntimeException failed) {
      memory.write64(slot, block);
      collect(fresh, level + 1, clearing.unlinked);
      clearing.unlinked.add(fresh);
      throw failed;
    }
    memory.write64(slot, Descriptors.table(geometry, fresh));
  }

  /// {@return a new table of a level that maps what the block one level up maps, except the hole}
  private long splitTable(Deque<Long> spare, int level, long block, AddressRange hole) {
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
            splitTable(spare, level + 1, Descriptors.rebase(geometry, level, block, pa), cut.get());
        memory.write64(slot, Descriptors.table(geometry, below));
      }
    }
    return fresh;
  }

  /// Collects the tables below a table, children first.
  ///
  /// {@return bytes mapped by it}
  private long collect(long table, int level, List<Long> into) {
    long mapped = 0;
    for (int i = 0; i < geometry.entries(level); i++) {
      long word = memory.read64(table + (long) i * DescriptorLayout.BYTES);
      if (Descriptors.isLeaf(word, level)) {
        mapped += geometry.bytes(level);
      } else if (Descriptors.isTable(word, level)) {
        long below = Descriptors.address(geometry, word);
        mapped += collect(below, level + 1, into);
        into.add(below);
      }
    }
    return mapped;
  }

  private boolean isEmpty(long table, int level) {
    for (int i = 0; i < geometry.entries(level); i++) {
      if (memory.read64(table + (long) i * DescriptorLayout.BYTES) != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean leafFits(AddressRange part, int level, long delta) {
    return geometry.leafAllowed(level)
        && part.bytes() == geometry.bytes(level)
        && geometry.offset(part.start() + delta, level) == 0;
  }

  private AddressRange clip(long address, int level, AddressRange range) {
    long start = geometry.alignDown(address, level);
    AddressRange covered = AddressRange.ofSize(start, geometry.bytes(level));
    return covered.intersection(range).orElseThrow();
  }

  private long slot(long table, long input, int level) {
    return table + (long) geometry.index(input, level) * DescriptorLayout.BYTES;
  }

  private long next(long at, int level) {
    return geometry.alignDown(at, level) + geometry.bytes(level);
  }

  private long upTo(long at, int level, long last) {
    return Math.min(next(at, level) - 1, last);
  }

  private long allocate(int level) {
    return frames.allocate(allocationBytes(level), geometry.tableAlignment(level)).value();
  }

  private long allocationBytes(int level) {
    return geometry.tableAlignment(level);
  }

  private void giveBack(Iterable<Long> tables) {
    for (long table : tables) {
      frames.free(new Pa(table), geometry.granule().bytes());
    }
  }
}
