package dev.doorbell.iommu;

import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The groups of a machine, to find those that firmware gave one stream. What an IOMMU keeps for a stream serves every function that has
/// it, so a group with such a stream cannot be given away.
///
/// **Threads.** Safe for use from many.
final class StreamUsers {
  /// Weak, so that a group that its machine dropped is nobody's rival.
  private final Queue<WeakReference<IommuGroup>> groups = new ConcurrentLinkedQueue<>();

  void enter(IommuGroup group) {
    groups.removeIf(g -> g.get() == null);
    groups.add(new WeakReference<>(group));
  }

  /// Refuses a group one of whose streams a function of another group has.
  ///
  /// @param attempt the step, for messages
  /// @throws StreamIdShared naming both functions
  void requireOwn(String attempt, IommuGroup group) {
    for (Member m : group.members()) {
      for (IommuGroup other : others(group)) {
        refuseShared(attempt, m, other);
      }
    }
  }

  /// Refuses a function that comes into a group by plugging, when one of its streams is another group's and a domain has one of the two.
  ///
  /// @throws StreamIdShared naming both functions
  void requireApart(String attempt, IommuGroup group, Member member) {
    for (IommuGroup other : others(group)) {
      if (group.domain().isPresent() || other.domain().isPresent()) {
        refuseShared(attempt, member, other);
      }
    }
  }

  private static void refuseShared(String attempt, Member m, IommuGroup other) {
    for (Member o : other.members()) {
      for (Stream s : m.streams()) {
        if (o.streams().contains(s) && !o.name().equals(m.name())) {
          throw new StreamIdShared(attempt, m.name(), o, s);
        }
      }
    }
  }

  private List<IommuGroup> others(IommuGroup group) {
    return groups.stream()
        .map(WeakReference::get)
        .filter(Objects::nonNull)
        .filter(g -> g != group)
        .toList();
  }
}
