package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A vector is to be made pending, or not pending, and its controller has no order for that.
public final class PendingStateUnsupported extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param vector which
  PendingStateUnsupported(String vector, String controller) {
    super(
        new Refusal(
            "PendingStateUnsupported",
            "%s of %s cannot be made pending, or not pending, there".formatted(vector, controller),
            Optional.empty(),
            Optional.empty(),
            List.of(vector, controller),
            Source.rule("the orders of " + controller),
            "have the function send its message, or mask the vector"));
  }
}
