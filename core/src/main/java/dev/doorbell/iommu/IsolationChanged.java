package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.IommuGroup.Member;
import java.util.List;
import java.util.Optional;

/// A function would change whether its group's MSIs are isolated while the group is bound (R27).
public final class IsolationChanged extends IommuException {
  private static final long serialVersionUID = 1L;

  IsolationChanged(IommuGroup group, Member added) {
    super(
        new Refusal(
            "IsolationChanged",
            "cannot add %s to %s while it is bound: its MSIs at %s are not isolated and the group's are"
                .formatted(added.name(), group.name(), added.isolation().controller()),
            Optional.empty(),
            Optional.empty(),
            List.of(group.name(), added.name(), added.isolation().controller()),
            added.isolation().source(),
            "detach " + group.name() + " first"));
  }
}
