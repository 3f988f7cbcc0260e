package dev.doorbell.hw.aplic;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.IrqException;
import java.util.List;
import java.util.Optional;

/// An APLIC's domain does not forward interrupts as little-endian messages.
public final class DirectDelivery extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param domaincfg what the register holds after `DM` was set
  DirectDelivery(String aplic, long domaincfg) {
    super(
        new Refusal(
            "DirectDelivery",
            "%s forwards nothing as messages: domaincfg reads 0x%x after DM was set"
                .formatted(aplic, domaincfg),
            Optional.empty(),
            Optional.empty(),
            List.of(aplic, "domaincfg"),
            Source.rule("RISC-V AIA 1.0, 4.5.1 (domain configuration)"),
            "take an APLIC whose msi-parent are interrupt files"));
  }
}
