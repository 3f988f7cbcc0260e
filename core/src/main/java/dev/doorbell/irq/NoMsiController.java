package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Nothing receives a function's MSIs: firmware's id mapping names no controller for it.
public final class NoMsiController extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param needed the fewest vectors asked for
  /// @param source the mapping that does not have the function
  public NoMsiController(String function, int needed, Source source) {
    super(
        new Refusal(
            "NoMsiController",
            "cannot give %s %d vectors: no MSI controller receives its messages"
                .formatted(function, needed),
            Optional.of(Figure.vectors(needed)),
            Optional.of(Figure.vectors(0)),
            List.of(function),
            source,
            "use the function's wired interrupt, or mend the firmware's MSI mapping"));
  }
}
