package dev.doorbell.diff;

import dev.doorbell.vmsa.DescriptorLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Translation tables of one stage that a scenario builds, and where their descriptors lie.
final class StreamSpace {
  static final int LOG2_LEAST_GRANULE = 12;
  private static final int LAST_LEVEL = 3;
  private static final int LOG2_DESCRIPTOR = 3;

  /// A descriptor.
  static final class Entry {
    final long address;
    final int level;
    final long iova;
    final long next;
    long value;

    /// @param next the table that it leads to, 0 for a leaf
    Entry(long address, int level, long iova, long next, long value) {
      this.next = next;
      this.address = address;
      this.level = level;
      this.iova = iova;
      this.value = value;
    }
  }

  final int granule;
  final int inputBits;
  final boolean second;
  final long root;
  final List<Entry> leaves = new ArrayList<>();
  final List<Entry> tables = new ArrayList<>();
  private final TableSlots slots;
  private final Consumer<Step> out;
  private @Nullable StreamSpace outer;
  private long apart;

  /// @param second whether it is stage 2
  StreamSpace(int granule, int inputBits, boolean second, TableSlots slots, Consumer<Step> out) {
    this.second = second;
    this.granule = granule;
    this.inputBits = inputBits;
    this.slots = slots;
    this.out = out;
    root = slots.take(granule, out);
  }

  /// Makes the addresses that this space leads to, and those of its own tables, inputs of another one, before anything is mapped.
  ///
  /// @param distance from a table's physical address to its address there
  void within(StreamSpace other, long distance) {
    outer = other;
    apart = distance;
  }

  /// {@return stage 2, where this is the stage 1 of nested ones}
  @Nullable StreamSpace outer() {
    return outer;
  }

  /// {@return what is added to the physical address of a CD or a table where they are named}
  long apart() {
    return apart;
  }

  int startLevel() {
    return LAST_LEVEL + 1 - Math.ceilDiv(inputBits - granule, granule - LOG2_DESCRIPTOR);
  }

  int shift(int level) {
    return granule + (LAST_LEVEL - level) * (granule - LOG2_DESCRIPTOR);
  }

  /// {@return an address cut to the width of the input}
  long within(long iova) {
    return iova & -1L >>> (Long.SIZE - inputBits);
  }

  /// Makes a leaf, and the tables that lead to it.
  void map(long iova, int leafLevel, long descriptor) {
    long table = root;
    for (int level = startLevel(); level < leafLevel; level++) {
      long at = slot(table, level, iova);
      Entry there = find(tables, at);
      if (there == null) {
        if (find(leaves, at) != null) {
          return;
        }
        long next = slots.take(granule, out);
        there =
            new Entry(
                at,
                level,
                iova,
                next,
                DescriptorLayout.TABLE_VALID.place(1)
                    | DescriptorLayout.TABLE_TYPE.place(1)
                    | DescriptorLayout.NEXT_TABLE.place(next + apart));
        tables.add(there);
        out.accept(new Step.Store(at, List.of(there.value)));
      }
      table = there.next;
    }
    long at = slot(table, leafLevel, iova);
    if (find(tables, at) == null && find(leaves, at) == null) {
      leaves.add(new Entry(at, leafLevel, iova, 0, descriptor));
      out.accept(new Step.Store(at, List.of(descriptor)));
    }
  }

  private long slot(long table, int level, long iova) {
    int bits = level == startLevel() ? inputBits - shift(level) : granule - LOG2_DESCRIPTOR;
    long index = iova >>> shift(level) & (1L << bits) - 1;
    return table + (index << LOG2_DESCRIPTOR);
  }

  private static @Nullable Entry find(List<Entry> entries, long at) {
    for (Entry e : entries) {
      if (e.address == at) {
        return e;
      }
    }
    return null;
  }
}
