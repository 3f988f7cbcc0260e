package dev.doorbell.iommu;

import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/// Functions that an IOMMU cannot tell apart, or that can reach one another without it. They share one domain.
///
/// **Threads.** Everything that changes where a group's accesses go, and every change of its functions' vectors, happens with
/// the group's {@link #lock}, which is taken before any domain's lock. Placement and members may be read without it.
public final class IommuGroup {
  /// A device as one IOMMU numbers it.
  public record Stream(Iommu iommu, int streamId) {
    @Override
    public String toString() {
      return "StreamID 0x" + Integer.toHexString(streamId) + " of " + iommu.id();
    }
  }

  /// Whether a function can raise only its own vectors.
  ///
  /// @param controller what its MSIs reach, such as `its@0x8080000`
  /// @param deviceId the DeviceID that its writes carry to MSI controllers; empty when firmware tells none
  /// @param source why
  public record Isolation(
      boolean isolated, String controller, OptionalInt deviceId, Source source) {}

  /// A function of a group.
  ///
  /// @param name such as `0000:01:00.0`
  /// @param streams how IOMMUs see it, requester-id aliases included
  public record Member(String name, List<Stream> streams, Isolation isolation) {
    public Member {
      streams = List.copyOf(streams);
    }
  }

  /// Where a group's accesses go.
  public sealed interface Placement {
    /// Every access is aborted.
    record Blocked() implements Placement {}

    /// Accesses pass untranslated.
    record Bypassing() implements Placement {}

    /// Accesses are translated by a domain.
    record In(Domain domain) implements Placement {}
  }

  private final int id;
  private final List<String> because;
  private final List<ReservedRegion> reserved;
  private final Ringers ringers;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<DoorbellHolder> holders = new ArrayList<>();
  private volatile List<Member> members;
  private volatile Placement placement = new Placement.Blocked();

  private IommuGroup(
      int id,
      List<Member> members,
      List<String> because,
      List<ReservedRegion> reserved,
      Ringers ringers) {
    this.id = id;
    this.members = List.copyOf(members);
    this.because = List.copyOf(because);
    this.reserved = List.copyOf(reserved);
    this.ringers = ringers;
  }

  /// {@return a group whose streams are blocked, as IOMMU drivers leave them after reset}
  ///
  /// @param members one or more; those without a stream are in no IOMMU's path and may not be here
  /// @param because a sentence for each reason why they are one group
  /// @param reserved IOVAs that some member cannot use
  /// @param ringers the register of the machine that the group is in
  public static IommuGroup of(
      int id,
      List<Member> members,
      List<String> because,
      List<ReservedRegion> reserved,
      Ringers ringers) {
    if (members.isEmpty() || members.stream().anyMatch(m -> m.streams().isEmpty())) {
      throw new IllegalArgumentException(
          "group " + id + " needs members, each with a stream: " + members);
    }
    IommuGroup group = new IommuGroup(id, members, because, reserved, ringers);
    ringers.streams().enter(group);
    return group;
  }

  public int id() {
    return id;
  }

  /// {@return the group's name in messages}
  public String name() {
    return "group " + id;
  }

  public List<Member> members() {
    return members;
  }

  /// {@return why the functions are one group, a sentence a reason}
  public List<String> because() {
    return because;
  }

  public List<ReservedRegion> reserved() {
    return reserved;
  }

  /// {@return whether no function of the group can raise another device's vectors: all must agree (R27)}
  public boolean isolatedMsi() {
    return members.stream().allMatch(m -> m.isolation().isolated());
  }

  public Placement placement() {
    return placement;
  }

  /// {@return the domain that translates the group's accesses}
  public Optional<Domain> domain() {
    return placement instanceof Placement.In(Domain d) ? Optional.of(d) : Optional.empty();
  }

  /// {@return the lock that guards the group's placement and the vectors of its functions}
  public ReentrantLock lock() {
    return lock;
  }

  /// Lets the group's accesses pass untranslated. For functions of the host where no translation is wanted (R26).
  ///
  /// @throws GroupUnavailable when a domain has the group
  public void bypass() {
    leaveTo(new Placement.Bypassing(), "pass " + name() + " untranslated");
  }

  /// Aborts the group's accesses.
  ///
  /// @throws GroupUnavailable when a domain has the group
  /// @throws VectorsLive when a function has live vectors
  public void block() {
    leaveTo(new Placement.Blocked(), "block " + name());
  }

  private void leaveTo(Placement next, String attempt) {
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      if (placement instanceof Placement.In(Domain d)) {
        throw new GroupUnavailable(
            "cannot " + attempt, name(), "attached to " + d.name(), "detach it first");
      }
      GroupMove.refuseLiveVectors(holders, "cannot " + attempt);
      Placement before = placement;
      for (Stream s : streams(members)) {
        rollback.add(() -> apply(s, before));
        apply(s, next);
      }
      placement = next;
      rollback.commit();
    } finally {
      lock.unlock();
    }
  }

  /// Adds a function that was plugged in. Its accesses go where the group's go.
  ///
  /// @throws IsolationChanged when a domain has the group and its MSIs would no longer be isolated (R27)
  /// @throws DeviceIdNotUnique when it could raise vectors of another domain's function
  /// @throws StreamIdOutOfRange when an IOMMU has no place for one of its streams
  /// @throws StreamIdShared when a function of another group has one of its streams, and a domain has one of the groups
  public void add(Member member) {
    String attempt = "cannot add %s to %s".formatted(member.name(), name());
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      StreamIdOutOfRange.check(attempt, List.of(member));
      boolean changes = isolatedMsi() && !member.isolation().isolated();
      if (placement instanceof Placement.In(Domain d)) {
        if (changes) {
          throw new IsolationChanged(this, member);
        }
        IncompatibleIommu.check(d, this, member.streams());
      }
      ringers.streams().requireApart(attempt, this, member);
      List<Member> before = members;
      List<Member> next = new ArrayList<>(before);
      next.add(member);
      rollback.add(() -> members = before);
      members = List.copyOf(next);
      if (placement instanceof Placement.In(Domain d)) {
        ringers.recheck(attempt, this, d);
      }
      Set<Stream> added = streams(List.of(member));
      added.removeAll(streams(before));
      for (Stream s : added) {
        rollback.add(() -> s.iommu().block(s.streamId()));
        apply(s, placement);
      }
      rollback.commit();
    } finally {
      lock.unlock();
    }
  }

  /// Removes a function that was unplugged. Streams that no other member has are blocked.
  ///
  /// @throws VectorsLive when it has live vectors
  /// @throws IllegalArgumentException when the group has no such function, or no other one
  public void remove(String memberName) {
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      List<Member> left = members.stream().filter(m -> !m.name().equals(memberName)).toList();
      if (left.size() == members.size() || left.isEmpty()) {
        throw new IllegalArgumentException(
            name() + " has no function " + memberName + " beside others");
      }
      GroupMove.refuseLiveVectors(
          holders.stream().filter(h -> h.name().equals(memberName)).toList(),
          "cannot remove %s from %s".formatted(memberName, name()));
      Set<Stream> gone = streams(members);
      gone.removeAll(streams(left));
      for (Stream s : gone) {
        rollback.add(() -> apply(s, placement));
        s.iommu().block(s.streamId());
      }
      members = left;
      rollback.commit();
    } finally {
      lock.unlock();
    }
  }

  /// Claims a share in the doorbells that a function of this group will ring: all of them, or none. Writes nothing to
  /// hardware. The caller holds {@link #lock}.
  ///
  /// @param ringing a function of this group at each of its controllers
  /// {@return the leases, one per doorbell}
  ///
  /// @throws MsiWindowExhausted when the domain's window has no room
  /// @throws DoorbellExposesNeighbours when the page of one reaches beyond its frame
  /// @throws DeviceIdNotUnique when a function could then raise vectors of another domain's
  /// @throws GroupUnavailable when the group's accesses are blocked
  public List<DoorbellLease> claimDoorbells(List<Ringer> ringing) {
    requireLock();
    try (Rollback rollback = new Rollback()) {
      List<DoorbellLease> leases = claim(ringing);
      leases.forEach(l -> rollback.add(l::release));
      ringers.enter(
          new Ringers.Step(
              Ringers.attempt(ringing), Optional.of(this), domain(), leases, List.of()));
      rollback.commit();
      return leases;
    }
  }

  private List<DoorbellLease> claim(List<Ringer> ringing) {
    return switch (placement) {
      case Placement.In(Domain d) -> d.doorbells().claim(this, ringing);
      case Placement.Bypassing() -> ringing.stream().map(DoorbellLease::untranslated).toList();
      case Placement.Blocked() ->
          throw new GroupUnavailable(
              "cannot reach " + ringing.stream().map(r -> r.frame().name()).toList(),
              name(),
              "attached to no domain",
              "attach it to a domain first");
    };
  }

  /// Registers a function whose vectors become live. The caller holds {@link #lock}.
  public void add(DoorbellHolder holder) {
    requireLock();
    holders.add(holder);
  }

  /// Takes a function off whose vectors are released. The caller holds {@link #lock}.
  public void remove(DoorbellHolder holder) {
    requireLock();
    holders.remove(holder);
  }

  /// {@return whether a doorbell's messages do not meet the translation tables of this group's IOMMUs,
  /// so that they need no mapping (R23)}
  public boolean bypassesTranslation(DoorbellFrame frame) {
    return !members.getFirst().streams().getFirst().iommu().capabilities().translatesMsi()
        || reserved.stream()
            .anyMatch(r ->
                r.kind() == ReservedRegion.Kind.MSI
                    && r.range().contains(frame.doorbell().value()));
  }

  Ringers ringers() {
    return ringers;
  }

  Collection<DoorbellHolder> holders() {
    return List.copyOf(holders);
  }

  Set<Stream> streams() {
    return streams(members);
  }

  void place(Placement next) {
    placement = next;
  }

  static void apply(Stream s, Placement to) {
    switch (to) {
      case Placement.Blocked() -> s.iommu().block(s.streamId());
      case Placement.Bypassing() -> s.iommu().bypass(s.streamId());
      case Placement.In(Domain d) -> s.iommu().attach(s.streamId(), d.space());
    }
  }

  private static Set<Stream> streams(List<Member> of) {
    Set<Stream> out = new LinkedHashSet<>();
    of.forEach(m -> out.addAll(m.streams()));
    return out;
  }

  private void requireLock() {
    if (!lock.isHeldByCurrentThread()) {
      throw new IllegalStateException("the lock of " + name() + " is not held");
    }
  }

  @Override
  public String toString() {
    return name() + " " + members.stream().map(Member::name).toList();
  }
}
