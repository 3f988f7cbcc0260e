package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import java.util.TreeMap;

/// Mappings at IOVAs that a container chose, as long as they are there: what else comes to their IOVAs later is not them. Guarded by the
/// container's lock.
public final class PlacedMappings {
  private final TreeMap<Iova, DmaMapping> there = new TreeMap<>();

  /// {@return the mapping, which is there from now on}
  public DmaMapping add(DmaMapping mapping) {
    there.put(mapping.at(0), mapping);
    return mapping;
  }

  /// {@return whether this very mapping is still there}
  public boolean has(DmaMapping mapping) {
    return there.get(mapping.at(0)) == mapping;
  }

  /// Forgets what was unmapped: whole mappings.
  public void remove(AddressRange iovas) {
    there.subMap(new Iova(iovas.start()), true, new Iova(iovas.last()), true).clear();
  }

  /// Forgets everything.
  public void clear() {
    there.clear();
  }
}
