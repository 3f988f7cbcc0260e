package dev.doorbell.pci;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A function's MSI or MSI-X capability cannot hold what it was asked to. Nothing was written.
public final class MessageRefused extends PciException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  /// @param function the function's name
  public MessageRefused(String function, String message, Source source, String advice) {
    super(function + ": " + message);
    this.refusal =
        new Refusal(
            "MessageRefused",
            function + ": " + message,
            Optional.empty(),
            Optional.empty(),
            List.of(function),
            source,
            advice);
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }
}
