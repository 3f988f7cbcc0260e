package dev.doorbell.host;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A function that cannot be handed out on this machine.
public final class NotAssignable extends HostException {
  private static final long serialVersionUID = 1L;

  /// @param other what stands against it
  /// @param why lower case, no period
  public NotAssignable(String function, String other, String why, Source source, String advice) {
    super(
        new Refusal(
            "NotAssignable",
            "%s cannot be assigned: %s".formatted(function, why),
            Optional.empty(),
            Optional.empty(),
            List.of(function, other),
            source,
            advice));
  }
}
