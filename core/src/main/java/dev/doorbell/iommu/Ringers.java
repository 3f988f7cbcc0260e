package dev.doorbell.iommu;

import dev.doorbell.iommu.IommuGroup.Member;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Who rings which doorbell of a machine, and which functions could write there under another one's DeviceID. One for all groups of
/// a machine.
///
/// A controller that isolates tells functions apart by DeviceID alone. Where firmware gives two functions the same one, each at a
/// controller of its own, either could raise the other's vectors as soon as its domain maps the other's doorbell. Within one domain
/// that is its owner's affair; across domains the step that would make it possible is refused.
///
/// **Threads.** Safe for use from many. Its lock is taken last, after a group's and a domain's.
public final class Ringers {
  /// A doorbell in use.
  ///
  /// @param owner the domain that has the function; null for the host's own
  /// @param maps whether that domain maps the doorbell
  record Ring(Ringer ringer, @Nullable Domain owner, boolean maps) {
    String ownerName() {
      return owner == null ? "the host" : owner.name();
    }
  }

  /// What a step adds and takes away.
  ///
  /// @param attempt the step, for messages, such as `cannot attach group 3 to domain 1`
  /// @param group whose step it is; empty for a function with no IOMMU in its path
  /// @param to the domain that has the group afterwards; empty for the host
  /// @param added leases that the step claimed
  /// @param leaving leases that the group gives back when the step is done
  record Step(
      String attempt,
      Optional<IommuGroup> group,
      Optional<Domain> to,
      List<DoorbellLease> added,
      Collection<DoorbellLease> leaving) {}

  private final Map<Ring, Integer> rings = new HashMap<>();

  /// A group that is being moved stands in both domains.
  private final Map<IommuGroup, List<Domain>> placed = new IdentityHashMap<>();

  private final StreamUsers streams = new StreamUsers();

  /// {@return which groups of the machine use which streams}
  StreamUsers streams() {
    return streams;
  }

  /// Claims the doorbells of a function with no IOMMU in its path, each at its physical address.
  ///
  /// {@return the leases, one per doorbell}
  ///
  /// @throws DeviceIdNotUnique when a function of a domain could raise its vectors
  public List<DoorbellLease> claimUntranslated(List<Ringer> ringing) {
    List<DoorbellLease> leases = ringing.stream().map(DoorbellLease::untranslated).toList();
    enter(new Step(attempt(ringing), Optional.empty(), Optional.empty(), leases, List.of()));
    return leases;
  }

  static String attempt(List<Ringer> ringing) {
    return "cannot give %s vectors at %s"
        .formatted(
            ringing.stream().map(Ringer::function).distinct().toList(),
            ringing.stream().map(r -> r.frame().name()).toList());
  }

  /// Takes a step's leases in, and its group where it goes. What the group leaves stays until {@link #leave} and {@link #depart}.
  ///
  /// @throws DeviceIdNotUnique when a function could then raise vectors of another domain's; nothing is taken in
  synchronized void enter(Step step) {
    Map<Ring, Integer> after = new HashMap<>(rings);
    step.leaving().forEach(l -> l.ring().ifPresent(r -> count(after, r, -1)));
    List<Ring> added = new ArrayList<>();
    for (DoorbellLease l : step.added()) {
      Ring r = new Ring(l.ringer(), step.to().orElse(null), l.domain().isPresent());
      added.add(r);
      count(after, r, 1);
    }
    boolean moves =
        step.group().isPresent()
            && step.to().map(d -> !domainsOf(step.group().get()).contains(d)).orElse(false);
    if (moves || !rings.keySet().containsAll(added)) {
      refuse(step, added, after);
    }
    for (int i = 0; i < added.size(); i++) {
      count(rings, added.get(i), 1);
      step.added().get(i).entered(this, added.get(i));
    }
    if (moves) {
      placed.computeIfAbsent(step.group().get(), _ -> new ArrayList<>(1)).add(step.to().get());
    }
  }

  /// Refuses functions that came into a group by plugging when one of them could raise others' vectors.
  ///
  /// @throws DeviceIdNotUnique when it could
  synchronized void recheck(String attempt, IommuGroup group, Domain domain) {
    refuse(
        new Step(attempt, Optional.of(group), Optional.of(domain), List.of(), List.of()),
        List.of(),
        rings);
  }

  /// A lease was given back, its doorbell unmapped before if nobody else rings it.
  synchronized void leave(Ring ring) {
    count(rings, ring, -1);
  }

  /// A group's accesses no longer reach a domain.
  synchronized void depart(IommuGroup group, Domain domain) {
    placed.computeIfPresent(
        group,
        (_, domains) -> {
          domains.remove(domain);
          return domains.isEmpty() ? null : domains;
        });
  }

  private List<Domain> domainsOf(IommuGroup group) {
    return placed.getOrDefault(group, List.of());
  }

  private static void count(Map<Ring, Integer> counts, Ring ring, int by) {
    if (counts.merge(ring, by, Integer::sum) <= 0) {
      counts.remove(ring);
    }
  }

  /// Looks at every pair that the step changes: all rings for the groups of its domain, the added ones for the others.
  private void refuse(Step step, List<Ring> added, Map<Ring, Integer> after) {
    if (step.to().isPresent() && step.group().isPresent()) {
      check(step, step.group().get(), step.to().get(), after.keySet(), after);
    }
    placed.forEach((group, domains) -> {
      if (step.group().filter(g -> g == group).isPresent()) {
        return;
      }
      for (Domain d : domains) {
        boolean changes = step.to().filter(to -> to == d).isPresent();
        check(step, group, d, changes ? after.keySet() : added, after);
      }
    });
  }

  private void check(
      Step step,
      IommuGroup group,
      Domain domain,
      Collection<Ring> against,
      Map<Ring, Integer> after) {
    if (domain.policy().unsafeInterrupts()) {
      return;
    }
    for (Ring r : against) {
      if (r.owner() == domain || r.ringer().deviceId().isEmpty()) {
        continue;
      }
      for (Member m : group.members()) {
        if (m.isolation().deviceId().equals(r.ringer().deviceId())
            && !m.name().equals(r.ringer().function())
            && (reaches(group, domain, r.ringer().frame(), after)
                || identityMapped(step, domain, r.ringer().frame()))) {
          throw new DeviceIdNotUnique(step.attempt(), m, domain.name(), r.ringer(), r.ownerName());
        }
      }
    }
  }

  private static boolean reaches(
      IommuGroup group, Domain domain, DoorbellFrame frame, Map<Ring, Integer> after) {
    long doorbell = frame.doorbell().value();
    return group.bypassesTranslation(frame)
        || after.keySet().stream()
            .anyMatch(r ->
                r.maps()
                    && r.owner() == domain
                    && MsiRequirement.page(domain.granule(), r.ringer().frame())
                        .contains(doorbell));
  }

  /// {@return whether a direct region of some group that is, or is to be, in a domain leads to a doorbell}
  private boolean identityMapped(Step step, Domain domain, DoorbellFrame frame) {
    long doorbell = frame.doorbell().value();
    boolean entering = step.to().filter(to -> to == domain).isPresent();
    return entering && step.group().filter(g -> domain.identityMaps(g, doorbell)).isPresent()
        || placed.entrySet().stream()
            .anyMatch(
                p -> p.getValue().contains(domain) && domain.identityMaps(p.getKey(), doorbell));
  }
}
