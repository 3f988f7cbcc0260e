package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Vectors of multi-message MSI that nothing remaps have one address, so one processor: none of them can move alone.
public final class VectorsShareMessage extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param count vectors that share the address
  /// @param cpu where they are
  /// @param wanted where one of them was to go
  public VectorsShareMessage(MsiSource source, String controller, int count, int cpu, int wanted) {
    super(
        new Refusal(
            "VectorsShareMessage",
            "a vector of %s at %s cannot move from CPU %d to CPU %d: %d vectors share one message address, which names the processor"
                .formatted(source.name(), controller, cpu, wanted, count),
            Optional.empty(),
            Optional.empty(),
            List.of(source.name(), controller),
            Source.rule("Intel SDM volume 3, 11.11; PCIe 6.0 7.7.1.4 Message Data"),
            "use MSI-X, one vector, or interrupt remapping"));
  }
}
