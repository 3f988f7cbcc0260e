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
  /// @param absent what firmware names for it and does not describe
  /// @param source the mapping that leads there, or what does not map the function
  public NoMsiController(String function, int needed, Optional<String> absent, Source source) {
    super(
        new Refusal(
            "NoMsiController",
            "cannot give %s %d vectors: %s"
                .formatted(
                    function,
                    needed,
                    absent
                        .map(a ->
                            "its messages go to %s, which firmware does not describe".formatted(a))
                        .orElse("no MSI controller receives its messages")),
            Optional.of(Figure.vectors(needed)),
            Optional.of(Figure.vectors(0)),
            List.of(function, absent.orElse("MSI controller")),
            source,
            "use the function's wired interrupt, or mend the firmware's MSI mapping"));
  }
}
