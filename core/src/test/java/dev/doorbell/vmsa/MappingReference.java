package dev.doorbell.vmsa;

import dev.doorbell.iommu.Protection;
import java.util.Map;
import java.util.TreeMap;

/// What tables ought to say, kept in the simplest way: runs of addresses by their start.
final class MappingReference {
  record Run(long bytes, long output, Protection protection) {}

  private final TreeMap<Long, Run> runs = new TreeMap<>();

  boolean overlaps(long start, long bytes) {
    Map.Entry<Long, Run> below = runs.lowerEntry(start + bytes);
    return below != null && below.getKey() + below.getValue().bytes > start;
  }

  void map(long start, long bytes, long output, Protection protection) {
    runs.put(start, new Run(bytes, output, protection));
  }

  long unmap(long start, long bytes) {
    long cleared = 0;
    cut(start);
    cut(start + bytes);
    var inside = runs.subMap(start, start + bytes);
    for (Run run : inside.values()) {
      cleared += run.bytes;
    }
    inside.clear();
    return cleared;
  }

  /// {@return the output address, or -1}
  long lookup(long address) {
    Map.Entry<Long, Run> run = runs.floorEntry(address);
    return run == null || address - run.getKey() >= run.getValue().bytes
        ? -1
        : run.getValue().output + (address - run.getKey());
  }

  Protection protection(long address) {
    return runs.floorEntry(address).getValue().protection;
  }

  TreeMap<Long, Run> runs() {
    return runs;
  }

  private void cut(long at) {
    Map.Entry<Long, Run> run = runs.lowerEntry(at);
    if (run != null && run.getKey() + run.getValue().bytes > at) {
      long head = at - run.getKey();
      Run all = run.getValue();
      runs.put(run.getKey(), new Run(head, all.output, all.protection));
      runs.put(at, new Run(all.bytes - head, all.output + head, all.protection));
    }
  }
}
