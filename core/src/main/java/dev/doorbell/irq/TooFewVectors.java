package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.MessageTable;
import java.util.List;
import java.util.Optional;

/// A function has fewer vectors than its driver needs.
public final class TooFewVectors extends IrqException {
  private static final long serialVersionUID = 1L;

  TooFewVectors(String function, MessageTable table, int needed) {
    this(function, printed(table.kind()), table.size(), needed);
  }

  /// @param kind `MSI` or `MSI-X`
  /// @param advertised what the function has of it
  public TooFewVectors(String function, String kind, int advertised, int needed) {
    super(
        new Refusal(
            "TooFewVectors",
            "%s advertises %d %s vectors and %d are needed"
                .formatted(function, advertised, kind, needed),
            Optional.of(Figure.vectors(needed)),
            Optional.of(Figure.vectors(advertised)),
            List.of(function),
            Source.rule("Message Control of " + function),
            "ask for at most %d vectors".formatted(advertised)));
  }

  private static String printed(MessageTable.Kind kind) {
    return switch (kind) {
      case MSI -> "MSI";
      case MSIX -> "MSI-X";
    };
  }
}
