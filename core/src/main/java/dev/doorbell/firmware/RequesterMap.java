package dev.doorbell.firmware;

import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Which IOMMU each requester id of each segment is behind, and the id that it knows it by. What is put down later counts. Not thread-safe.
final class RequesterMap {
  private static final int IDS = 0x1_0000;

  /// Real machines have a dozen or two; a hostile table could name each of 65,536.
  private static final int MOST_SEGMENTS = 64;

  private record Owner(String iommu, Source source) {}

  private static final class Segment {
    /// 0 for none, else a number of `owners` plus one.
    private final int[] owner = new int[IDS];

    private final int[] id = new int[IDS];
  }

  private final Map<Integer, Segment> segments = new TreeMap<>();
  private final List<Owner> owners = new ArrayList<>();
  private final Map<Owner, Integer> numbers = new HashMap<>();

  /// Requester ids of a segment.
  ///
  /// @param alias the id that all of them appear under, or -1 for their own
  record Ids(int segment, int first, int last, int alias) {}

  /// Puts requester ids behind an IOMMU.
  ///
  /// @throws MalformedException when there are more segments than a machine has
  void put(Ids ids, String iommu, Source source) {
    int segment = ids.segment();
    if (segments.size() >= MOST_SEGMENTS && !segments.containsKey(segment)) {
      throw new MalformedException(
          "segment %d is one more than the %d that are read".formatted(segment, MOST_SEGMENTS),
          source);
    }
    Segment s = segments.computeIfAbsent(segment, _ -> new Segment());
    int number =
        numbers.computeIfAbsent(
            new Owner(iommu, source),
            o -> {
              owners.add(o);
              return owners.size();
            });
    Arrays.fill(s.owner, ids.first(), ids.last() + 1, number);
    for (int rid = ids.first(); rid <= ids.last(); rid++) {
      s.id[rid] = ids.alias() < 0 ? rid : ids.alias();
    }
  }

  /// Takes a requester id out again.
  void remove(int segment, int rid) {
    Segment s = segments.get(segment);
    if (s != null) {
      s.owner[rid] = 0;
    }
  }

  /// {@return the segments that have an IOMMU}
  Iterable<Integer> segments() {
    return segments.keySet();
  }

  /// {@return the source of a segment's first entry}
  Source source(int segment) {
    for (int number : segments.getOrDefault(segment, new Segment()).owner) {
      if (number != 0) {
        return owners.get(number - 1).source();
      }
    }
    return Source.rule("no function of the segment is behind an IOMMU");
  }

  /// {@return the runs of requester ids of some buses}
  List<HostBridge.StreamMapping> mappings(int segment, int firstBus, int lastBus) {
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    Segment s = segments.get(segment);
    if (s == null) {
      return out;
    }
    int end = (lastBus + 1) << Byte.SIZE;
    int rid = firstBus << Byte.SIZE;
    while (rid < end) {
      int first = rid;
      int number = s.owner[first];
      do {
        rid++;
      } while (rid < end && s.owner[rid] == number && s.id[rid] - rid == s.id[first] - first);
      if (number != 0) {
        Owner o = owners.get(number - 1);
        out.add(
            new HostBridge.StreamMapping(
                IDS - 1, first, (long) rid - first, o.iommu(), s.id[first], o.source()));
      }
    }
    return out;
  }
}
