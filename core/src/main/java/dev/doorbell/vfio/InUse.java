package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Something cannot be given back, or taken twice, while it is in use.
public final class InUse extends VfioException {
  private static final long serialVersionUID = 1L;

  public InUse(String attempt, String object, String user) {
    super(
        new Refusal(
            "InUse",
            "cannot %s: %s is in use by %s".formatted(attempt, object, user),
            Optional.empty(),
            Optional.empty(),
            List.of(object, user),
            Source.rule("state of " + object),
            "let %s go first".formatted(user)));
  }
}
