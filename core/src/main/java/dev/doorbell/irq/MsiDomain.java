package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellHolder;
import dev.doorbell.iommu.DoorbellLease;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.Ringer;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.MsiRoute.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/// What lies between a function and its MSI controllers: the route, and the IOMMU group whose domain must map the doorbells.
///
/// Preparing may allocate and may fail; everything after it that composes a message is a look-up (R15).
public final class MsiDomain {
  private final MsiRoute route;
  private final Optional<IommuGroup> group;
  private final Optional<Ringers> ringers;
  private final ReentrantLock lock;

  private MsiDomain(MsiRoute route, Optional<IommuGroup> group, Optional<Ringers> ringers) {
    this.route = route;
    this.group = group;
    this.ringers = ringers;
    this.lock = group.map(IommuGroup::lock).orElseGet(ReentrantLock::new);
  }

  /// {@return the MSI domain of a function behind an IOMMU}
  public static MsiDomain behind(IommuGroup group, MsiRoute route) {
    return new MsiDomain(route, Optional.of(group), Optional.empty());
  }

  /// {@return the MSI domain of a function with no IOMMU in its path: doorbells are rung at their PA (R26)}
  ///
  /// @param ringers the register of the machine
  public static MsiDomain untranslated(MsiRoute route, Ringers ringers) {
    return new MsiDomain(route, Optional.empty(), Optional.of(ringers));
  }

  public MsiRoute route() {
    return route;
  }

  public Optional<IommuGroup> group() {
    return group;
  }

  /// {@return the lock to be held while a function's vectors change}
  ReentrantLock lock() {
    return lock;
  }

  /// Takes vectors for a function, as many as can be had, and maps the doorbells of every controller in its reach. The vectors are
  /// inactive. The caller holds {@link #lock}.
  ///
  /// Figures are checked before anything is written: places in the MSI window are claimed first, then vectors taken, then doorbells
  /// mapped.
  ///
  /// @throws NoMsiController when no controller receives the function's messages
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room for the doorbells (R2)
  /// @throws dev.doorbell.iommu.DeviceIdNotUnique when a function of another domain could raise the vectors
  /// @throws VectorsExhausted when there are fewer than the minimum
  /// @throws MessageOutOfReach when the function cannot hold the doorbell's address or the data
  MsiVectors prepare(String function, VectorRequest request) {
    if (route.targets().isEmpty()) {
      throw new NoMsiController(function, request.min(), route.absent(), route.source());
    }
    try (Rollback rollback = new Rollback()) {
      List<DoorbellLease> leases = new ArrayList<>();
      claim(function, request, route.ringers(function), leases, rollback);
      Taken taken = take(function, request);
      rollback.add(taken.block()::free);
      if (taken.target().hasOneForEachCpu()) {
        claim(
            function,
            request,
            route.ringers(function, taken.target(), MsiVectors.rung(taken.block())),
            leases,
            rollback);
      }
      MsiVectors vectors = new MsiVectors(taken.block(), taken.used(), leases, taken.target());
      vectors.requireData(function, request.maxData());
      leases.forEach(DoorbellLease::map);
      rollback.commit();
      return vectors;
    }
  }

  private void claim(
      String function,
      VectorRequest request,
      List<Ringer> ringing,
      List<DoorbellLease> into,
      Rollback rollback) {
    List<DoorbellLease> leases = claim(ringing);
    leases.forEach(l -> rollback.add(l::release));
    requireReach(function, request.address64(), leases);
    into.addAll(leases);
  }

  private static void requireReach(String function, boolean address64, List<DoorbellLease> leases) {
    if (!address64) {
      leases.stream()
          .filter(l -> Long.compareUnsigned(l.iova().value(), 0xffff_ffffL) > 0)
          .findFirst()
          .ifPresent(l -> {
            throw MessageOutOfReach.address(function, l);
          });
    }
  }

  private List<DoorbellLease> claim(List<Ringer> ringing) {
    return group
        .map(g -> g.claimDoorbells(ringing))
        .orElseGet(() -> ringers.orElseThrow().claimUntranslated(ringing));
  }

  /// Claims and maps the doorbell of a CPU that vectors are to move to, where its controller has one for each and they have not got it.
  ///
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room for it; nothing is changed then
  /// @throws MessageOutOfReach when the function cannot hold its address
  void reach(String function, MsiVectors vectors, int cpu, boolean address64, Rollback rollback) {
    Target target = vectors.target();
    if (!target.hasOneForEachCpu() || cpu < 0 || cpu >= target.doorbells().size()) {
      return;
    }
    long doorbell = target.doorbells().get(cpu).doorbell().value();
    if (!vectors.lacks(doorbell)) {
      return;
    }
    List<DoorbellLease> more = claim(route.ringers(function, target, Set.of(doorbell)));
    more.forEach(l -> rollback.add(l::release));
    requireReach(function, address64, more);
    more.forEach(DoorbellLease::map);
    vectors.add(more);
    rollback.add(() -> vectors.remove(more));
  }

  /// Vectors taken at a controller.
  private record Taken(VectorBlock block, int used, Target target) {}

  private Taken take(String function, VectorRequest request) {
    int used = request.max();
    while (true) {
      Target target = route.targets().get(targetFor(request.taken(used)));
      try {
        VectorBlock block =
            target
                .controller()
                .allocate(
                    new MsiSource(function, target.deviceId(), target.lastBus()),
                    request.taken(used),
                    request.contiguous());
        return new Taken(block, used, target);
      } catch (VectorsExhausted e) {
        int less = request.less(used, target.controller().vectorsFree());
        if (less < request.min()) {
          throw e;
        }
        used = less;
      }
    }
  }

  /// {@return the first target with enough vectors, else the one with most}
  private int targetFor(int count) {
    int best = 0;
    int most = -1;
    for (int i = 0; i < route.targets().size(); i++) {
      int free = route.targets().get(i).controller().vectorsFree();
      if (free >= count) {
        return i;
      }
      if (free > most) {
        most = free;
        best = i;
      }
    }
    return best;
  }

  void join(DoorbellHolder holder) {
    group.ifPresent(g -> g.add(holder));
  }

  void leave(DoorbellHolder holder) {
    group.ifPresent(g -> g.remove(holder));
  }

  static Source maskSource(String function) {
    return Source.rule("PCIe 6.0 7.7.1.2 Per-Vector Masking Capable of " + function);
  }
}
