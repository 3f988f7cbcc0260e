package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// An MSI controller has fewer free vectors than asked for.
public final class VectorsExhausted extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param limit what sets the number, and where that was read
  public VectorsExhausted(
      MsiSource source, String controller, int needed, int available, Source limit) {
    super(
        new Refusal(
            "VectorsExhausted",
            "%s asks %s for %d vectors and %d are free"
                .formatted(source.name(), controller, needed, available),
            Optional.of(Figure.vectors(needed)),
            Optional.of(Figure.vectors(available)),
            List.of(source.name(), controller),
            limit,
            "ask for fewer vectors (--max), or release vectors of another function behind "
                + controller));
  }
}
