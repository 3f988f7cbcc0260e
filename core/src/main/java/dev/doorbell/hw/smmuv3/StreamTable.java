package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// The stream table: linear, or of two levels whose second is made when a stream of it is first used. Not safe for use from several threads at
/// once: the driver holds a lock.
///
/// Entries that nobody set abort and record nothing.
///
/// **Source** IHI 0070 G.b, 3.3.1, 6.3.24 SMMU_STRTAB_BASE, 6.3.25 SMMU_STRTAB_BASE_CFG.
final class StreamTable {
  private static final int SPLIT = 8;
  private static final int MOST_L1_LOG2 = 17;
  private static final int MOST_LINEAR_LOG2 = 16;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final boolean twoLevel;
  private final int log2;
  private final Pa base;
  private final Map<Integer, Pa> second = new HashMap<>();

  /// Those of the second level that hardware knows the way to.
  private final Set<Integer> reached = new HashSet<>();

  private StreamTable(ProbedFeatures features, PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.twoLevel = features.twoLevel() && features.streamIdBits() > SPLIT;
    this.log2 =
        Math.min(features.streamIdBits(), twoLevel ? SPLIT + MOST_L1_LOG2 : MOST_LINEAR_LOG2);
    this.base = frames.allocate(bytes(), bytes());
  }

  /// {@return a table of aborting entries}
  static StreamTable create(ProbedFeatures features, PhysicalMemory memory, Frames frames) {
    StreamTable table = new StreamTable(features, memory, frames);
    if (!table.twoLevel) {
      table.fillAborting(table.base.value(), 1 << table.log2);
    }
    return table;
  }

  /// {@return width of the StreamIDs that the table covers}
  int streamIdBits() {
    return log2;
  }

  /// Tells the hardware where the table is. The SMMU must be disabled.
  void program(SmmuPort port) {
    memory.publish();
    port.write(
        SmmuRegisters.STRTAB_BASE,
        SmmuRegisters.STRTAB_BASE_ADDR.place(base.value()) | SmmuRegisters.STRTAB_BASE_RA.place(1));
    port.write(
        SmmuRegisters.STRTAB_BASE_CFG,
        SmmuRegisters.STRTAB_BASE_CFG_LOG2SIZE.place(log2)
            | SmmuRegisters.STRTAB_BASE_CFG_SPLIT.place(twoLevel ? SPLIT : 0)
            | SmmuRegisters.STRTAB_BASE_CFG_FMT.place(
                twoLevel ? SmmuRegisters.FMT_2LVL : SmmuRegisters.FMT_LINEAR));
  }

  /// {@return where a stream's entry lies}
  ///
  /// @param linked called when a level-1 descriptor was written: cached copies of it must be dropped
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for a second level; nothing is changed then
  long entry(int streamId, Runnable linked) {
    if (!twoLevel) {
      return base.value() + (long) streamId * SteLayout.BYTES;
    }
    int first = streamId >>> SPLIT;
    long bytes = (long) SteLayout.BYTES << SPLIT;
    Pa array = second.computeIfAbsent(first, _ -> frames.allocate(bytes, bytes));
    if (!reached.contains(first)) {
      // Where this fails half-way it is done again for the next stream of them.
      fillAborting(array.value(), 1 << SPLIT);
      memory.publish();
      memory.write64(
          base.value() + (long) first * StreamTableLayout.L1_BYTES,
          StreamTableLayout.L2_PTR.place(array.value()) | StreamTableLayout.SPAN.place(SPLIT + 1));
      linked.run();
      reached.add(first);
    }
    return array.value() + (long) (streamId & ((1 << SPLIT) - 1)) * SteLayout.BYTES;
  }

  /// Gives the table's memory back. The SMMU must be disabled.
  void free() {
    for (Pa array : second.values()) {
      frames.free(array, (long) SteLayout.BYTES << SPLIT);
    }
    second.clear();
    frames.free(base, bytes());
  }

  private long bytes() {
    return twoLevel
        ? Math.max(64L, (long) StreamTableLayout.L1_BYTES << (log2 - SPLIT))
        : (long) SteLayout.BYTES << log2;
  }

  private void fillAborting(long at, int entries) {
    long abort = StreamTableEntries.abort()[0];
    for (int i = 0; i < entries; i++) {
      memory.write64(at + (long) i * SteLayout.BYTES, abort);
    }
  }
}
