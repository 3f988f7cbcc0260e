package dev.doorbell.iommu;

import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.IommuGroup.Placement;
import dev.doorbell.iommu.IommuGroup.Stream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// One change of where a group's accesses go, with the vectors of its functions live. Every figure is checked before the first
/// hardware write; a write that fails takes everything back. The caller holds the group's lock.
final class GroupMove {
  /// A function with live vectors: its leases before and after.
  private record Holder(
      DoorbellHolder function, List<DoorbellLease> before, List<DoorbellLease> after) {
    boolean moves() {
      for (int i = 0; i < before.size(); i++) {
        if (!before.get(i).iova().equals(after.get(i).iova())) {
          return true;
        }
      }
      return false;
    }
  }

  private final IommuGroup group;
  private final Domain to;
  private final Placement from;
  private final String attempt;

  GroupMove(IommuGroup group, Domain to) {
    this.group = group;
    this.to = to;
    this.from = group.placement();
    this.attempt = "cannot attach %s to %s".formatted(group.name(), to.name());
  }

  void attach() {
    if (from instanceof Placement.In(Domain d) && d == to) {
      throw new GroupUnavailable(
          attempt, group.name(), "attached there already", "attach a group once");
    }
    StreamIdOutOfRange.check(attempt, group.members());
    group.ringers().streams().requireOwn(attempt, group);
    requireIsolated();
    IncompatibleIommu.check(to, group, group.streams());
    try (Rollback rollback = new Rollback()) {
      to.admit(group);
      rollback.add(() -> to.dismiss(group));
      List<Holder> holders = claim(rollback);
      List<Holder> held = toBeHeld(holders);
      enter(holders, rollback);
      to.mapDirect(group);
      holders.forEach(h -> h.after().forEach(DoorbellLease::map));
      for (Holder h : held) {
        h.function().hold();
        rollback.add(h.function()::resume);
      }
      for (Stream s : group.streams()) {
        rollback.add(() -> IommuGroup.apply(s, from));
        IommuGroup.apply(s, new Placement.In(to));
      }
      for (Holder h : holders) {
        h.function().move(h.after());
        rollback.add(() -> h.function().move(h.before()));
      }
      for (Holder h : held) {
        h.function().resume();
        rollback.add(h.function()::hold);
      }
      group.place(new Placement.In(to));
      rollback.add(() -> group.place(from));
      unmapOld(holders, rollback);
      if (from instanceof Placement.In(Domain old)) {
        old.dismiss(group);
      }
      rollback.commit();
      // Unmapped above; what is left cannot fail unless another function mapped the doorbell again,
      // and then writes nothing.
      holders.forEach(h -> h.before().forEach(DoorbellLease::release));
      if (from instanceof Placement.In(Domain old)) {
        group.ringers().depart(group, old);
      }
    }
  }

  void detach() {
    String detaching = "cannot detach %s from %s".formatted(group.name(), to.name());
    if (!(from instanceof Placement.In(Domain d) && d == to)) {
      throw new GroupUnavailable(detaching, group.name(), "not attached there", "attach it before");
    }
    refuseLiveVectors(group.holders(), detaching);
    try (Rollback rollback = new Rollback()) {
      for (Stream s : group.streams()) {
        rollback.add(() -> IommuGroup.apply(s, from));
        IommuGroup.apply(s, new Placement.Blocked());
      }
      to.dismiss(group);
      group.place(new Placement.Blocked());
      rollback.commit();
      group.ringers().depart(group, to);
    }
  }

  static void refuseLiveVectors(Collection<DoorbellHolder> holders, String attempt) {
    for (DoorbellHolder h : holders) {
      if (!h.leases().isEmpty()) {
        throw new VectorsLive(attempt, h.name(), "would lose them", h.maskableSource());
      }
    }
  }

  private void requireIsolated() {
    if (to.policy().unsafeInterrupts() || group.isolatedMsi()) {
      return;
    }
    IommuGroup.Member culprit =
        group.members().stream().filter(m -> !m.isolation().isolated()).findFirst().orElseThrow();
    throw new NotIsolated(
        to.name(),
        group.name(),
        culprit.name(),
        culprit.isolation().controller(),
        culprit.isolation().source());
  }

  /// Claims a lease in the new domain for each one held: at the programmed IOVA where that can be had, for all functions first,
  /// so that none is placed where another one must stay.
  private List<Holder> claim(Rollback rollback) {
    List<DoorbellHolder> functions =
        group.holders().stream().filter(h -> !h.leases().isEmpty()).toList();
    List<List<Optional<DoorbellLease>>> exact = new ArrayList<>();
    for (DoorbellHolder f : functions) {
      List<Optional<DoorbellLease>> mine = new ArrayList<>();
      for (DoorbellLease l : f.leases()) {
        Optional<DoorbellLease> at = to.doorbells().claimAt(group, l.ringer(), l.iova());
        at.ifPresent(a -> rollback.add(a::release));
        mine.add(at);
      }
      exact.add(mine);
    }
    List<Holder> out = new ArrayList<>();
    for (int i = 0; i < functions.size(); i++) {
      List<DoorbellLease> before = List.copyOf(functions.get(i).leases());
      List<DoorbellLease> after = new ArrayList<>();
      for (int j = 0; j < before.size(); j++) {
        DoorbellLease old = before.get(j);
        after.add(
            exact
                .get(i)
                .get(j)
                .orElseGet(() -> {
                  DoorbellLease l = to.doorbells().claim(group, List.of(old.ringer())).getFirst();
                  rollback.add(l::release);
                  return l;
                }));
      }
      out.add(new Holder(functions.get(i), before, List.copyOf(after)));
    }
    return out;
  }

  private void enter(List<Holder> holders, Rollback rollback) {
    group
        .ringers()
        .enter(
            new Ringers.Step(
                attempt,
                Optional.of(group),
                Optional.of(to),
                holders.stream().flatMap(h -> h.after().stream()).toList(),
                holders.stream().flatMap(h -> h.before().stream()).toList()));
    rollback.add(() -> group.ringers().depart(group, to));
  }

  private List<Holder> toBeHeld(List<Holder> holders) {
    boolean hitless =
        group.streams().stream()
            .allMatch(s ->
                !s.iommu().capabilities().translatesMsi()
                    || s.iommu().attachesHitlessly(s.streamId(), to.space()));
    List<Holder> held = new ArrayList<>();
    for (Holder h : holders) {
      if (h.moves() || !hitless) {
        if (!h.function().maskable()) {
          throw new VectorsLive(
              attempt,
              h.function().name(),
              h.moves()
                  ? "cannot hold them back while its doorbell moves from %s to %s"
                      .formatted(h.before().getFirst().iova(), h.after().getFirst().iova())
                  : "cannot hold them back while its translation is replaced",
              h.function().maskableSource());
        }
        held.add(h);
      }
    }
    return held;
  }

  /// Unmaps the doorbells of the old domain that nobody but this group rings; their slots stay until the change is certain.
  private static void unmapOld(List<Holder> holders, Rollback rollback) {
    List<DoorbellLease> all = holders.stream().flatMap(h -> h.before().stream()).toList();
    for (DoorbellLease l : all) {
      rollback.add(l::map);
      l.unmapIfOnly(all);
    }
  }
}
