package dev.doorbell.pci.setup;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.PciException;
import java.util.List;
import java.util.Optional;

/// Base of what a set-up refuses. Bus numbers, BARs, windows and command registers are as before.
public abstract sealed class PciSetupException extends PciException implements Refused
    permits WindowTooSmall, BusNumbersExhausted {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  PciSetupException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  static Refusal refusal(
      String type, String message, Figure needed, Figure available, Objects objects) {
    return new Refusal(
        type,
        message,
        Optional.of(needed),
        Optional.of(available),
        objects.names,
        objects.source,
        objects.advice);
  }

  /// What a refusal names besides its figures.
  record Objects(List<String> names, Source source, String advice) {}

  @Override
  public Refusal refusal() {
    return refusal;
  }
}
