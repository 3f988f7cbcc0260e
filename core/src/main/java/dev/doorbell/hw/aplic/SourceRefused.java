package dev.doorbell.hw.aplic;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.IrqException;
import dev.doorbell.irq.Signal;
import java.util.List;
import java.util.Optional;

/// A source does not take the mode that it was given: it is another domain's, or has no such mode.
public final class SourceRefused extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param aplic the domain
  /// @param signal what it was to take
  /// @param sourcecfg what its register holds instead
  SourceRefused(String aplic, int source, Signal signal, long sourcecfg) {
    super(
        new Refusal(
            "SourceRefused",
            "source %d of %s does not take a signal %s: its sourcecfg holds 0x%x, as that of a source which the domain above has not delegated does"
                .formatted(source, aplic, signal, sourcecfg),
            Optional.empty(),
            Optional.empty(),
            List.of("source " + source, aplic),
            Source.rule("RISC-V AIA 1.0, 4.5.2 (source configurations)"),
            "let firmware delegate the source, or take another one"));
  }
}
