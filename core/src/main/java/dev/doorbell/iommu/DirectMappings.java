package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Rollback;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// The identity mappings that direct regions of attached groups demand. Regions of several groups may overlap; each granule is
/// mapped once and unmapped with the last group that reserves it. Guarded by the domain's lock.
final class DirectMappings {
  private final DomainPolicy policy;
  private final AddressSpace space;
  private final List<AddressRange> mapped = new ArrayList<>();

  DirectMappings(DomainPolicy policy, AddressSpace space) {
    this.policy = policy;
    this.space = space;
  }

  /// Maps what a group's regions demand and is not mapped yet, all or nothing.
  void cover(IommuGroup group) {
    try (Rollback rollback = new Rollback()) {
      for (AddressRange wanted : demands(group)) {
        for (AddressRange piece : Ranges.subtract(wanted, mapped)) {
          map(piece);
          rollback.add(() -> unmap(piece));
        }
      }
      rollback.commit();
    }
  }

  /// Unmaps what no group demands any more, all or nothing.
  void keepOnly(Collection<IommuGroup> groups) {
    List<AddressRange> wanted = new ArrayList<>();
    groups.forEach(g -> wanted.addAll(demands(g)));
    try (Rollback rollback = new Rollback()) {
      for (AddressRange run : List.copyOf(mapped)) {
        List<AddressRange> gone = Ranges.subtract(run, wanted);
        for (AddressRange piece : gone) {
          unmap(piece);
          rollback.add(() -> map(piece));
        }
      }
      rollback.commit();
    }
  }

  /// {@return whether the granules that a group's regions demand hold an address}
  boolean reaches(IommuGroup group, long address) {
    return demands(group).stream().anyMatch(r -> r.contains(address));
  }

  private List<AddressRange> demands(IommuGroup group) {
    Granule g = space.granule();
    return group.reserved().stream()
        .filter(r -> policy.identityMaps(r.kind()))
        .map(r ->
            new AddressRange(
                g.alignDown(r.range().start()), g.alignDown(r.range().last()) + (g.bytes() - 1)))
        .toList();
  }

  private void map(AddressRange piece) {
    space.map(new Iova(piece.start()), new Pa(piece.start()), piece.bytes(), Protection.READ_WRITE);
    mapped.add(piece);
  }

  private void unmap(AddressRange piece) {
    space.unmap(new Iova(piece.start()), piece.bytes());
    List<AddressRange> next = new ArrayList<>();
    for (AddressRange run : mapped) {
      next.addAll(Ranges.subtract(run, List.of(piece)));
    }
    mapped.clear();
    mapped.addAll(next);
  }
}
