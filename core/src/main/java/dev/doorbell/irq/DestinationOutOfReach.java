package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A vector was to go to a processor whose APIC id no message of its controller can name.
public final class DestinationOutOfReach extends IrqException {
  private static final long serialVersionUID = 1L;

  /// What was asked for, and what can be had.
  ///
  /// @param apicId of the processor's local APIC
  /// @param cpu Doorbell's number of the processor
  /// @param last the highest id that can be named
  public record Reach(long apicId, int cpu, long last) {}

  /// @param limit what sets the highest id, and where it was read
  public DestinationOutOfReach(MsiSource source, String controller, Reach reach, Source limit) {
    super(
        new Refusal(
            "DestinationOutOfReach",
            "a vector of %s cannot go to CPU %d: its APIC id is %d, and messages through %s name ids up to %d"
                .formatted(source.name(), reach.cpu(), reach.apicId(), controller, reach.last()),
            Optional.empty(),
            Optional.empty(),
            List.of(source.name(), controller),
            limit,
            "choose a CPU with an APIC id up to %d, or turn on interrupt remapping in x2APIC mode"
                .formatted(reach.last())));
  }
}
