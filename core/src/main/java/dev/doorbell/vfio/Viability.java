package dev.doorbell.vfio;

import java.util.List;

/// Whether a group can be given to a user: it can when the host uses none of its functions. Bridges and ports do no harm.
///
/// @param blockers functions that the host uses; empty when the group is viable
public record Viability(List<Blocker> blockers) {
  /// A function that keeps its group from being assigned.
  ///
  /// @param user who has it, such as `driver nvme` or `domain guest`
  /// @param because why it is in this group
  public record Blocker(String function, String user, String because) {}

  public Viability {
    blockers = List.copyOf(blockers);
  }

  public boolean isViable() {
    return blockers.isEmpty();
  }
}
