package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A guest uses a vector of its function that the host's kernel has not for it.
public final class TooFewGuestVectors extends VmmException {
  private static final long serialVersionUID = 1L;

  TooFewGuestVectors(Sbdf function, int needed, int available) {
    super(
        new Refusal(
            "TooFewGuestVectors",
            "the guest uses %d vectors of %s, and the host's kernel has %d for it"
                .formatted(needed, function, available),
            Optional.of(Refusal.Figure.vectors(needed)),
            Optional.of(Refusal.Figure.vectors(available)),
            List.of(function.toString()),
            Source.rule("Linux VFIO_DEVICE_SET_IRQS"),
            "let the guest's driver use fewer vectors, or release vectors of another function behind the same MSI controller"));
  }
}
