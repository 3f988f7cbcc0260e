package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The mappings that a domain's owner made, by IOVA; never overlapping. Guarded by the domain's lock.
final class Mappings {
  private final TreeMap<Iova, Mapping> byStart = new TreeMap<>();

  void add(Mapping mapping) {
    byStart.put(new Iova(mapping.iovas().start()), mapping);
  }

  void remove(Mapping mapping) {
    byStart.remove(new Iova(mapping.iovas().start()));
  }

  /// {@return the lowest mapping that meets a range}
  Optional<Mapping> meeting(AddressRange range) {
    Map.Entry<Iova, Mapping> below = byStart.floorEntry(new Iova(range.start()));
    if (below != null && below.getValue().iovas().overlaps(range)) {
      return Optional.of(below.getValue());
    }
    Map.Entry<Iova, Mapping> above = byStart.higherEntry(new Iova(range.start()));
    return above != null && above.getValue().iovas().overlaps(range)
        ? Optional.of(above.getValue())
        : Optional.empty();
  }

  /// {@return the mapping with the highest IOVA}
  Optional<Mapping> highest() {
    return Optional.ofNullable(byStart.lastEntry()).map(Map.Entry::getValue);
  }

  /// {@return the mappings that lie wholly in a range, ascending}
  ///
  /// @throws UnmapSplitsMapping when one lies partly in it
  List<Mapping> within(String domain, AddressRange range) {
    List<Mapping> out = new ArrayList<>();
    Map.Entry<Iova, Mapping> below = byStart.lowerEntry(new Iova(range.start()));
    if (below != null && below.getValue().iovas().overlaps(range)) {
      throw new UnmapSplitsMapping(domain, range, below.getValue());
    }
    for (Mapping m :
        byStart.subMap(new Iova(range.start()), true, new Iova(range.last()), true).values()) {
      if (!range.contains(m.iovas())) {
        throw new UnmapSplitsMapping(domain, range, m);
      }
      out.add(m);
    }
    return out;
  }

  List<Mapping> all() {
    return List.copyOf(byStart.values());
  }
}
