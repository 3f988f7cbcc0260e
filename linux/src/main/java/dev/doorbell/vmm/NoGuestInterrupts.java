package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The host's KVM does not make the interrupt controllers that a guest needs.
public final class NoGuestInterrupts extends VmmException {
  private static final long serialVersionUID = 1L;

  NoGuestInterrupts(boolean hasGicV2) {
    super(
        new Refusal(
            "NoGuestInterrupts",
            "cannot start a guest here: KVM makes no GICv3 with ITS"
                + (hasGicV2 ? ", only a GICv2, which takes no messages" : ""),
            Optional.empty(),
            Optional.empty(),
            List.of("KVM", "the guest's ITS"),
            Source.rule("Linux KVM_CREATE_DEVICE, KVM_CREATE_DEVICE_TEST"),
            "use a host whose own interrupt controller is a GICv3 or later"));
  }
}
