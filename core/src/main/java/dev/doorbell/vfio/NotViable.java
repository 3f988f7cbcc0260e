package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A group cannot be given away: the host uses one of its functions.
public final class NotViable extends VfioException {
  private static final long serialVersionUID = 1L;

  public NotViable(String group, Viability.Blocker blocker) {
    super(
        new Refusal(
            "NotViable",
            "%s cannot be assigned: the host uses %s of it (%s)"
                .formatted(group, blocker.function(), blocker.user()),
            Optional.empty(),
            Optional.empty(),
            List.of(group, blocker.function(), blocker.user()),
            Source.rule(blocker.because()),
            "take %s off %s, or assign a function of another group"
                .formatted(blocker.user(), blocker.function())));
  }
}
