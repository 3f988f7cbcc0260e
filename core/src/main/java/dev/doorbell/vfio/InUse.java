package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Something cannot be given back, or taken twice, while it is in use.
public final class InUse extends VfioException {
  private static final long serialVersionUID = 1L;

  public InUse(String attempt, String object, String user) {
    this(attempt, object, user, "", "");
  }

  /// {@return a refusal for which there may be another cause, rarer than a user}
  ///
  /// @param otherwise the other cause, as a clause
  public static InUse unless(String attempt, String object, String user, String otherwise) {
    return new InUse(attempt, object, user, ", or " + otherwise, ", unless " + otherwise);
  }

  private InUse(String attempt, String object, String user, String orElse, String unless) {
    super(
        new Refusal(
            "InUse",
            "cannot %s: %s is in use by %s%s".formatted(attempt, object, user, orElse),
            Optional.empty(),
            Optional.empty(),
            List.of(object, user),
            Source.rule("state of " + object),
            "let %s go first%s".formatted(user, unless)));
  }
}
