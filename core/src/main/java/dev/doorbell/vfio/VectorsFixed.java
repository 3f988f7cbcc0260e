package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// Vectors of a function cannot be added or removed one by one.
public final class VectorsFixed extends VfioException {
  private static final long serialVersionUID = 1L;

  public VectorsFixed(Sbdf function, IrqType type, Source source) {
    super(
        new Refusal(
            "VectorsFixed",
            "vectors of %s cannot change one by one: its %s vectors are taken together"
                .formatted(function, type),
            Optional.empty(),
            Optional.empty(),
            List.of(function.toString(), type.toString()),
            source,
            "disable them and enable another number"));
  }
}
