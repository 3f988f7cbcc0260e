package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.IommuGroup.Member;
import java.util.List;
import java.util.Optional;

/// A group's functions could forge vectors of functions outside it, and unsafe interrupts are not allowed (R21, R22).
public final class NotIsolated extends IommuException {
  private static final long serialVersionUID = 1L;

  NotIsolated(String domain, IommuGroup group, Member member) {
    super(
        new Refusal(
            "NotIsolated",
            "cannot give %s to %s: %s raises its MSIs at %s, which does not check who writes; it could forge any vector there"
                .formatted(group.name(), domain, member.name(), member.isolation().controller()),
            Optional.empty(),
            Optional.empty(),
            List.of(group.name(), member.name(), member.isolation().controller()),
            member.isolation().source(),
            "allow unsafe interrupts if every owner of a function behind %s is trusted"
                .formatted(member.isolation().controller())));
  }
}
