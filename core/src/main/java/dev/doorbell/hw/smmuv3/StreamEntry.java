package dev.doorbell.hw.smmuv3;

import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// What stands for a stream: its entry, and the address spaces of its substreams.
final class StreamEntry {
  private final long[] ste;
  private final SortedMap<Integer, SmmuAddressSpace> substreams;

  private StreamEntry(long[] ste, SortedMap<Integer, SmmuAddressSpace> substreams) {
    this.ste = ste;
    this.substreams = Collections.unmodifiableSortedMap(substreams);
  }

  /// {@return an entry without substreams}
  ///
  /// @param ste its eight words
  static StreamEntry of(long[] ste) {
    return new StreamEntry(ste.clone(), new TreeMap<>());
  }

  /// {@return this with an address space for a substream}
  StreamEntry with(int substream, SmmuAddressSpace space) {
    SortedMap<Integer, SmmuAddressSpace> then = new TreeMap<>(substreams);
    then.put(substream, space);
    return new StreamEntry(ste, then);
  }

  /// {@return this without a substream}
  StreamEntry without(int substream) {
    SortedMap<Integer, SmmuAddressSpace> then = new TreeMap<>(substreams);
    then.remove(substream);
    return new StreamEntry(ste, then);
  }

  /// {@return the eight words that the entry has, or would have without substreams}
  long[] ste() {
    return ste.clone();
  }

  /// {@return the address spaces by SubstreamID, from 1 on}
  Map<Integer, SmmuAddressSpace> substreams() {
    return substreams;
  }

  /// {@return the address spaces of the substreams}
  Set<SmmuAddressSpace> spaces() {
    return new HashSet<>(substreams.values());
  }

  /// {@return whether stage 2 has part in the entry}
  boolean hasStage2() {
    int config = SteLayout.CONFIG.getInt(ste[0]);
    return config == SteLayout.CONFIG_S2_TRANS || config == SteLayout.CONFIG_NESTED;
  }
}
