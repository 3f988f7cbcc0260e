package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A function has no interrupts of a type.
public final class NoSuchIrqs extends VfioException {
  private static final long serialVersionUID = 1L;

  public NoSuchIrqs(Sbdf function, IrqType type, Source source) {
    super(
        new Refusal(
            "NoSuchIrqs",
            "%s has no interrupts of type %s".formatted(function, type),
            Optional.empty(),
            Optional.empty(),
            List.of(function.toString(), type.toString()),
            source,
            "ask the device which types it has"));
  }
}
