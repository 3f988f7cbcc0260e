package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A request needs a group, or a container, that is attached, and it is not.
public final class NotAttached extends VfioException {
  private static final long serialVersionUID = 1L;

  public NotAttached(String attempt, String object, String advice) {
    super(
        new Refusal(
            "NotAttached",
            "cannot %s: %s is not attached".formatted(attempt, object),
            Optional.empty(),
            Optional.empty(),
            List.of(object),
            Source.rule("VFIO: a group is attached to a container before its devices are used"),
            advice));
  }
}
