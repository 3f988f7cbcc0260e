package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A group's functions could forge vectors of functions outside it, and unsafe interrupts are not allowed (R21, R22).
public final class NotIsolated extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param group the name of the group that was to be attached
  /// @param function the function of it whose messages are not isolated
  /// @param controller what its messages reach
  /// @param source where it was read that the controller does not look at who writes
  public NotIsolated(
      String domain, String group, String function, String controller, Source source) {
    super(
        new Refusal(
            "NotIsolated",
            "cannot give %s to %s: %s raises its MSIs at %s, which does not check who writes; it could forge any vector there"
                .formatted(group, domain, function, controller),
            Optional.empty(),
            Optional.empty(),
            List.of(group, function, controller),
            source,
            "allow unsafe interrupts if every owner of a function behind %s is trusted"
                .formatted(controller)));
  }
}
