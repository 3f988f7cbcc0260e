package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// One set of translation tables in memory, built and changed while hardware may walk them.
///
/// A change happens whole or not at all: all memory that it needs is taken before the first descriptor is written, and where a write, a
/// read or an invalidation fails, what was written is taken back. A new table is filled and published before it is linked. A table is given
/// back only after the invalidation that follows its unlinking. Not safe for use from several threads at once: the owner holds a lock.
public final class VmsaTable implements AutoCloseable {
  private final VmsaGeometry geometry;
  private final PhysicalMemory memory;
  private final TableSpace space;
  private final boolean replacesLive;
  private final long root;
  private boolean closed;

  private VmsaTable(TableSpace space, boolean replacesLive) {
    this.geometry = space.geometry();
    this.memory = space.memory();
    this.space = space;
    this.replacesLive = replacesLive;
    this.root = space.allocate(geometry.startLevel());
  }

  /// {@return empty tables}
  ///
  /// @param replacesLive whether all that walk the tables let a block be replaced by a table of the same translations in one write
  ///     (break-before-make level 2); otherwise a split leaves the rest of the block unmapped for a moment
  /// @throws OutOfFramesException when there is no memory for the start table
  public static VmsaTable create(
      VmsaGeometry geometry, PhysicalMemory memory, Frames frames, boolean replacesLive) {
    return create(geometry, TableFormat.VMSA, memory, frames, replacesLive);
  }

  /// {@return empty tables whose entries are of another format}
  ///
  /// @param format of single entries
  /// @throws OutOfFramesException when there is no memory for the start table
  public static VmsaTable create(
      VmsaGeometry geometry,
      TableFormat format,
      PhysicalMemory memory,
      Frames frames,
      boolean replacesLive) {
    return new VmsaTable(
        new TableSpace(geometry, format, memory, frames, new ArrayList<>(), new HashSet<>()),
        replacesLive);
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
  /// @param invalidation told when a mapping that was begun is taken back, before any table is given back
  /// @throws IllegalArgumentException when misaligned, outside the input or output width, or when part of it is mapped
  /// @throws OutOfFramesException when there is no memory for tables
  /// @throws TableNotRestored when it failed half-way and taking it back failed, too
  public void map(
      Iova input, Pa output, long bytes, Protection protection, TlbInvalidation invalidation) {
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
    long taken = space.firstMapped(root, geometry.startLevel(), range.start(), range.last());
    if (taken >= 0) {
      throw new IllegalArgumentException(
          "mapping %s meets a mapping at 0x%x; unmap it first".formatted(range, taken));
    }
    TableFilling filling =
        new TableFilling(
            space, output.value() - input.value(), protection, new LiveWrites(space, invalidation));
    try {
      filling.take(root, geometry.startLevel(), range);
      filling.fill(root, geometry.startLevel(), range, true);
      memory.publish();
    } catch (RuntimeException failed) {
      throw filling.takeBack(failed);
    }
  }

  /// Unmaps input addresses, all of them or, when it fails, none; part of a block splits it. Addresses that are not mapped are passed over.
  ///
  /// {@return bytes that were mapped}
  ///
  /// @param invalidation told before this returns, and before any table is given back
  /// @throws IllegalArgumentException when misaligned or outside the input width
  /// @throws OutOfFramesException when a block must be split and there is no memory
  /// @throws TableNotRestored when it failed half-way and taking it back failed, too
  public long unmap(Iova input, long bytes, TlbInvalidation invalidation) {
    AddressRange range = checked(input, bytes);
    TableClearing clearing = new TableClearing(space, replacesLive, invalidation);
    long cleared;
    try {
      clearing.take(root, geometry.startLevel(), range);
      cleared = clearing.clear(root, geometry.startLevel(), range);
      if (cleared > 0 || !clearing.unlinked().isEmpty()) {
        memory.publish();
        invalidation.invalidate(range, clearing.unlinked().isEmpty());
      }
    } catch (RuntimeException failed) {
      throw clearing.takeBack(failed);
    }
    space.giveBack(clearing.unlinked());
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
      long word = memory.read64(space.slot(table, input, level));
      if (space.format().isLeaf(word, level)) {
        return space.format().address(geometry, word) + geometry.offset(input, level);
      }
      if (!space.format().isTable(word, level)) {
        return -1;
      }
      table = space.format().address(geometry, word);
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
    space.giveBack(space.retired());
    space.retired().clear();
    List<Long> tables = new ArrayList<>();
    space.collect(root, geometry.startLevel(), tables);
    space.giveBack(tables);
    space.free(root, geometry.startLevel());
  }

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
}
