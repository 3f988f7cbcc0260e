package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What may not lie over what: mappings, the MSI window, and the regions that groups reserve (R9 to R14). Each refusal names
/// both objects.
final class RegionConflicts {
  private RegionConflicts() {}

  /// {@return the regions that nobody may map, ascending: those of groups, and the MSI window where it really is}
  static List<ReservedRegion> all(
      String domain, Collection<IommuGroup> groups, Optional<MsiWindow> window) {
    Stream<ReservedRegion> registered =
        window.stream()
            .map(w ->
                new ReservedRegion(w.range(), ReservedRegion.Kind.SW_MSI, registeredOn(domain)));
    return Stream.concat(
            groups.stream()
                .flatMap(g -> g.reserved().stream())
                .filter(r -> r.kind() != ReservedRegion.Kind.SW_MSI)
                .distinct(),
            registered)
        .sorted(Comparator.comparing(ReservedRegion::range))
        .toList();
  }

  private static Source registeredOn(String domain) {
    return Source.rule("MSI window registered on " + domain);
  }

  /// Refuses a mapping that meets a region of an attached group.
  static void refuseMapping(
      String domain, AddressRange range, DomainPolicy policy, IommuGroup group) {
    for (ReservedRegion r : group.reserved()) {
      if (policy.excludes(r.kind()) && r.range().overlaps(range)) {
        throw new ReservedRegionConflict(
            "cannot map %s in %s".formatted(range, domain),
            nameOf(r, group),
            "mapping " + range,
            r.source(),
            "choose IOVAs outside " + r.range());
      }
    }
  }

  /// Refuses an MSI window that meets a mapping.
  static void refuseWindow(String domain, String attempt, AddressRange window, Mappings mappings) {
    mappings
        .meeting(window)
        .ifPresent(m -> {
          throw new MsiWindowConflict(
              attempt,
              window,
              m.toString(),
              Source.rule("mappings of " + domain),
              "unmap it first, or choose a window outside " + m.iovas());
        });
  }

  /// Refuses an MSI window that meets a region of an attached group.
  static void refuseWindow(
      String attempt, AddressRange window, DomainPolicy policy, IommuGroup group) {
    for (ReservedRegion r : group.reserved()) {
      if (policy.excludes(r.kind()) && r.range().overlaps(window)) {
        throw new MsiWindowConflict(
            attempt, window, nameOf(r, group), r.source(), "choose a window outside " + r.range());
      }
    }
  }

  /// Refuses a group whose regions meet what is mapped, or the window.
  static void refuseGroup(Domain domain, Mappings mappings, IommuGroup group) {
    String attempt = "cannot attach %s to %s".formatted(group.name(), domain.name());
    Optional<MsiWindow> window = domain.doorbells().window();
    for (ReservedRegion r : group.reserved()) {
      if (!domain.policy().excludes(r.kind())) {
        continue;
      }
      Optional<Mapping> live = mappings.meeting(r.range());
      if (live.isPresent()) {
        throw new ReservedRegionConflict(
            attempt,
            nameOf(r, group),
            live.get().toString(),
            r.source(),
            "unmap %s first".formatted(live.get().iovas()));
      }
      if (window.isPresent() && window.get().range().overlaps(r.range())) {
        throw new MsiWindowConflict(
            attempt,
            window.get().range(),
            nameOf(r, group),
            r.source(),
            "reserve the MSI window outside " + r.range());
      }
      if (domain.policy().identityMaps(r.kind())) {
        OutsideAperture.check(domain, nameOf(r, group), r.range(), r.source());
      }
    }
  }

  private static String nameOf(ReservedRegion r, IommuGroup group) {
    return "%s region %s of %s".formatted(r.kind().printed(), r.range(), group.name());
  }

  /// {@return the refusal of a mapping that meets the MSI window}
  static MsiWindowConflict underWindow(String domain, AddressRange mapping, MsiWindow window) {
    return new MsiWindowConflict(
        "cannot map %s in %s".formatted(mapping, domain),
        window.range(),
        "mapping " + mapping,
        registeredOn(domain),
        "map outside the window, or reserve the window elsewhere");
  }
}
