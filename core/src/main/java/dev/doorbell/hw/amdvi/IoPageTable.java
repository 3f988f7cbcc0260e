package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One set of page tables in memory, of either format, built and changed while hardware may walk them. A change happens whole or not at all. Not safe for
/// use from several threads at once: the owner holds a lock.
///
/// **Source** 48882 revision 3.09, 2.2.3 I/O Page Tables for Host Translations, 2.2.6 Guest Page Tables.
final class IoPageTable {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final PageFormat format;
  private final AddressRange aperture;
  private final int outputBits;
  private final long root;
  private final List<Long> retired = new ArrayList<>();
  private boolean closed;

  private IoPageTable(PhysicalMemory memory, Frames frames, PageFormat format, int outputBits) {
    this.format = format;
    this.aperture = new AddressRange(0, (1L << format.inputBits()) - 1);
    this.memory = memory;
    this.frames = frames;
    this.outputBits = outputBits;
    this.root = frames.allocate(IoPages.TABLE, IoPages.TABLE).value();
  }

  /// {@return empty tables}
  static IoPageTable create(
      PhysicalMemory memory, Frames frames, PageFormat format, int outputBits) {
    return new IoPageTable(memory, frames, format, outputBits);
  }

  long root() {
    return root;
  }

  AddressRange aperture() {
    return aperture;
  }

  PageFormat format() {
    return format;
  }

  /// Maps addresses, all of them or, when it fails, none.
  ///
  /// @param always whether caches may hold that something is not mapped
  void map(
      AddressRange input,
      Pa output,
      Protection protection,
      TableChange.Invalidation invalidation,
      boolean always) {
    check(input);
    checkOutput(input, output, protection);
    long taken = firstMapped(root, IoPages.LEVELS, input.start(), input.last());
    if (taken >= 0) {
      throw new IllegalArgumentException(
          "mapping %s meets a mapping at 0x%x; unmap it first".formatted(input, taken));
    }
    TableChange change = new TableChange(memory, frames, retired);
    try {
      new TableFilling(memory, format, change, output.value() - input.start(), protection)
          .fill(root, IoPages.LEVELS, input.start(), input.last(), true);
    } catch (RuntimeException failed) {
      change.abandon();
      throw failed;
    }
    change.make(input, always, invalidation);
  }

  /// Unmaps addresses, all of them or, when it fails, none; part of a page splits it.
  ///
  /// {@return bytes that were mapped}
  long unmap(AddressRange input, TableChange.Invalidation invalidation) {
    check(input);
    TableChange change = new TableChange(memory, frames, retired);
    TableClearing clearing = new TableClearing(memory, format, change, input);
    try {
      clearing.clear(root, IoPages.LEVELS);
    } catch (RuntimeException failed) {
      change.abandon();
      throw failed;
    }
    if (!change.isEmpty()) {
      change.make(clearing.hull(), true, invalidation);
    }
    return clearing.mapped();
  }

  Optional<Pa> translate(Iova input) {
    if (closed || !aperture.contains(input.value())) {
      return Optional.empty();
    }
    long table = root;
    for (int level = IoPages.LEVELS; level > 0; level--) {
      long word = memory.read64(IoPages.slot(table, input.value(), level));
      if (format.isLeaf(word, level)) {
        int bits = format.pageBits(word, level);
        return Optional.of(new Pa(format.output(word, bits) | input.value() & (1L << bits) - 1));
      }
      if (!format.isTable(word, level)) {
        return Optional.empty();
      }
      table = format.address(word);
    }
    return Optional.empty();
  }

  /// Gives all tables back. Nobody may walk or cache them any more.
  void close() {
    if (closed) {
      return;
    }
    closed = true;
    freeBelow(root, IoPages.LEVELS);
    frames.free(new Pa(root), IoPages.TABLE);
    retired.forEach(t -> frames.free(new Pa(t), IoPages.TABLE));
    retired.clear();
  }

  private void freeBelow(long table, int level) {
    for (int i = 0; level > 1 && i < IoPages.ENTRIES; i++) {
      long word = memory.read64(table + (long) i * IoPageLayout.BYTES);
      if (format.isTable(word, level)) {
        long below = format.address(word);
        freeBelow(below, level - 1);
        if (!retired.contains(below)) {
          frames.free(new Pa(below), IoPages.TABLE);
        }
      }
    }
  }

  private void check(AddressRange input) {
    if (closed) {
      throw new IllegalStateException("the tables at 0x%x are closed".formatted(root));
    }
    if (!Granule.K4.isAligned(input.start()) || !Granule.K4.isAligned(input.bytes())) {
      throw new IllegalArgumentException(
          "%s is not whole granules of %s".formatted(input, Granule.K4));
    }
    if (!aperture.contains(input)) {
      throw new IllegalArgumentException(
          "%s leaves the %d-bit input %s".formatted(input, format.inputBits(), aperture));
    }
  }

  private void checkOutput(AddressRange input, Pa output, Protection protection) {
    if (!Granule.K4.isAligned(output.value())) {
      throw new IllegalArgumentException(
          "mapping %s to %s is not aligned to the granule %s".formatted(input, output, Granule.K4));
    }
    if (!protection.read() && !protection.write()) {
      throw new IllegalArgumentException(
          "mapping %s would allow neither read nor write".formatted(input));
    }
    long last = output.value() + (input.bytes() - 1);
    if (output.value() < 0 || last < output.value() || last >>> outputBits != 0) {
      throw new IllegalArgumentException(
          "mapping %s to %s leaves the %d-bit output".formatted(input, output, outputBits));
    }
  }

  private long firstMapped(long table, int level, long first, long last) {
    for (long at = first; at <= last; at = IoPages.end(at, level) + 1) {
      long word = memory.read64(IoPages.slot(table, at, level));
      if (format.isLeaf(word, level)) {
        return at;
      }
      if (format.isTable(word, level)) {
        long found =
            firstMapped(
                format.address(word), level - 1, at, Math.min(last, IoPages.end(at, level)));
        if (found >= 0) {
          return found;
        }
      }
    }
    return -1;
  }
}
