package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/// The context descriptors of a stream with substreams: number 0 for accesses that carry no SubstreamID, and one for each substream.
///
/// Linear as long as it fits a page, and in two levels with leaves of 4 KiB above, where the SMMU has such; a leaf is made with the first descriptor in it
/// and stays. For one thread at a time.
///
/// **Source** IHI 0070 G.b, 3.3.2, 5.2 (S1Fmt, S1CDMax, S1DSS), 5.3; 3.21.3 (changes while hardware may look).
final class ContextTable {
  /// Base 2 logarithm of the descriptors in a leaf of 4 KiB.
  private static final int LEAF_LOG2 = 6;

  private static final int MOST_LINEAR_LOG2 = 10;
  private static final long[] NONE = new long[CdLayout.QUADWORDS];
  private static final long LEAF_BYTES = (long) CdLayout.BYTES << LEAF_LOG2;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final int log2;
  private final boolean twoLevel;
  private final boolean stalls;
  private final Pa base;
  private final Map<Integer, Pa> leaves = new HashMap<>();

  /// Descriptors that may be valid.
  private final SortedSet<Integer> written = new TreeSet<>();

  private ContextTable(ProbedFeatures features, PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.log2 = substreamIdBits(features);
    this.twoLevel = log2 > LEAF_LOG2 && features.twoLevelContexts();
    this.stalls = features.stalls();
    this.base = frames.allocate(bytes(), bytes());
  }

  /// {@return an empty table}
  static ContextTable create(ProbedFeatures features, PhysicalMemory memory, Frames frames) {
    return new ContextTable(features, memory, frames);
  }

  /// {@return the width of SubstreamIDs that a table of this SMMU covers}
  static int substreamIdBits(ProbedFeatures features) {
    return features.twoLevelContexts()
        ? features.substreamIdBits()
        : Math.min(features.substreamIdBits(), MOST_LINEAR_LOG2);
  }

  /// Makes room for descriptors, all of them or none. What becomes visible to hardware holds none that is valid; what it knows of the first level is dropped with
  /// what follows ({@link #write}).
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  void prepare(Collection<Integer> substreams) {
    if (twoLevel) {
      leaf(0);
      substreams.forEach(substream -> leaf(substream >>> LEAF_LOG2));
    }
  }

  private Pa leaf(int index) {
    Pa leaf = leaves.computeIfAbsent(index, _ -> frames.allocate(LEAF_BYTES, LEAF_BYTES));
    long at = base.value() + (long) index * Long.BYTES;
    long link = CdLayout.L1_L2_PTR.place(leaf.value()) | CdLayout.L1_V.place(1);
    if (memory.read64(at) != link) {
      memory.publish();
      memory.write64(at, link);
    }
    return leaf;
  }

  /// Has these descriptors stand in the table, and no others. Room for them has been made.
  ///
  /// @param contexts eight words each
  /// @param forget has the SMMU drop what it knows of one, and of the way to it
  void write(SortedMap<Integer, long[]> contexts, IntConsumer forget) {
    SortedSet<Integer> all = new TreeSet<>(written);
    all.addAll(contexts.keySet());
    written.addAll(all);
    for (int substream : all) {
      replace(
          at(substream), contexts.getOrDefault(substream, NONE), () -> forget.accept(substream));
    }
    written.retainAll(contexts.keySet());
  }

  /// Hardware reads a descriptor word by word: a valid one is made invalid first.
  private void replace(long at, long[] next, Runnable forget) {
    long[] now = SteUpdate.read(memory, at);
    if (Arrays.equals(now, next)) {
      return;
    }
    if (CdLayout.V.isSet(now[0])) {
      memory.write64(at, 0);
      memory.publish();
      forget.run();
    }
    for (int i = next.length - 1; i > 0; i--) {
      memory.write64(at + (long) i * Long.BYTES, next[i]);
    }
    memory.publish();
    if (CdLayout.V.isSet(next[0])) {
      memory.write64(at, next[0]);
      memory.publish();
      forget.run();
    }
  }

  private long at(int substream) {
    if (!twoLevel) {
      return base.value() + (long) substream * CdLayout.BYTES;
    }
    long within = substream & ((1L << LEAF_LOG2) - 1);
    return leaf(substream >>> LEAF_LOG2).value() + within * CdLayout.BYTES;
  }

  /// {@return an entry that leads here, and does with accesses that carry no SubstreamID what another one does with all}
  ///
  /// @param ste one that aborts, bypasses, or has stage 1 alone, whose descriptor is number 0 of this table
  long[] over(long[] ste) {
    int config = SteLayout.CONFIG.getInt(ste[0]);
    int others =
        config == SteLayout.CONFIG_S1_TRANS
            ? SteLayout.S1DSS_SSID0
            : config == SteLayout.CONFIG_BYPASS
                ? SteLayout.S1DSS_BYPASS
                : SteLayout.S1DSS_TERMINATE;
    long[] out = StreamTableEntries.contexts(base.value(), stalls);
    out[0] |=
        SteLayout.S1_FMT.place(twoLevel ? SteLayout.S1FMT_LEAVES_4K : SteLayout.S1FMT_LINEAR)
            | SteLayout.S1_CD_MAX.place(log2);
    out[1] =
        SteLayout.S1_DSS.with(out[1], others) | SteLayout.SHCFG.place(SteLayout.SHCFG_INCOMING);
    return out;
  }

  /// Gives the table's memory back. No entry may lead here.
  void free() {
    leaves.values().forEach(leaf -> frames.free(leaf, LEAF_BYTES));
    leaves.clear();
    frames.free(base, bytes());
  }

  private long bytes() {
    return twoLevel
        ? Math.max(CdLayout.BYTES, (long) Long.BYTES << (log2 - LEAF_LOG2))
        : (long) CdLayout.BYTES << log2;
  }
}
