package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An interrupt controller's hardware did not do what its architecture promises, or cannot be used.
public final class MsiControllerFailed extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param controller its name
  /// @param what what was tried and what happened, with the registers' values; follows the name in the message
  /// @param where the register that showed it
  public MsiControllerFailed(String controller, String what, Source where) {
    super(
        new Refusal(
            "MsiControllerFailed",
            controller + " " + what,
            Optional.empty(),
            Optional.empty(),
            List.of(controller),
            where,
            "look at "
                + where.where()
                + " of "
                + controller
                + "; reset the machine if it does not recover"));
  }
}
