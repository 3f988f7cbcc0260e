package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Which IOMMU remaps the messages of I/O APICs and HPETs, by their ids. Not thread-safe.
final class X86Sources {
  /// @param sourceId the requester id of its messages
  record Remapped(String iommu, OptionalInt sourceId, Source source) {}

  private final Map<Integer, Remapped> ioApics = new LinkedHashMap<>();
  private final Map<Integer, Remapped> hpets = new LinkedHashMap<>();

  void ioApic(int id, String iommu, OptionalInt sourceId, Source source) {
    ioApics.putIfAbsent(id, new Remapped(iommu, sourceId, source));
  }

  void hpet(int id, String iommu, OptionalInt sourceId, Source source) {
    hpets.putIfAbsent(id, new Remapped(iommu, sourceId, source));
  }

  Optional<Remapped> ioApic(int id) {
    return Optional.ofNullable(ioApics.get(id));
  }

  Map<Integer, Remapped> ioApics() {
    return Map.copyOf(ioApics);
  }

  Map<Integer, Remapped> hpets() {
    return new LinkedHashMap<>(hpets);
  }
}
