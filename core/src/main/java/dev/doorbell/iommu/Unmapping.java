package dev.doorbell.iommu;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;

/// Unmapping that is taken back when the hardware refuses it half-way: after the entries were cleared an invalidation can still fail.
final class Unmapping {
  private Unmapping() {}

  /// Unmaps a mapping, all of it or, when it fails, nothing.
  static void run(AddressSpace space, Mapping mapping) {
    Iova start = new Iova(mapping.iovas().start());
    try {
      space.unmap(start, mapping.iovas().bytes());
    } catch (RuntimeException | Error e) {
      try {
        mapMissing(space, mapping);
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /// Maps the parts of a mapping that are not mapped, each run of them at once.
  private static void mapMissing(AddressSpace space, Mapping m) {
    Granule granule = space.granule();
    long bytes = m.iovas().bytes();
    long from = 0;
    long run = 0;
    for (long at = 0; at != bytes; at += granule.bytes()) {
      if (space.translate(new Iova(m.iovas().start() + at)).isEmpty()) {
        from = run == 0 ? at : from;
        run += granule.bytes();
      }
      boolean ends = at + granule.bytes() == bytes || at != from + run - granule.bytes();
      if (run != 0 && ends) {
        Iova iova = new Iova(m.iovas().start() + from);
        space.map(iova, new Pa(m.pa().value() + from), run, m.protection());
        run = 0;
      }
    }
  }
}
