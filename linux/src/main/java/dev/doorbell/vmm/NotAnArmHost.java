package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Guests are started on Arm hosts alone.
public final class NotAnArmHost extends VmmException {
  private static final long serialVersionUID = 1L;

  NotAnArmHost(String architecture) {
    super(
        new Refusal(
            "NotAnArmHost",
            "cannot start a guest here: this host is %s, and the machine that is made is an arm64 one with a GICv3 and an ITS inside the kernel"
                .formatted(architecture),
            Optional.empty(),
            Optional.empty(),
            List.of("this host", "the guest's GICv3"),
            Source.rule("the architecture that Java reports (os.arch)"),
            "run it on an arm64 host with KVM, an SMMUv3 and an ITS; `lab/run arm64-kvm` makes one under QEMU"));
  }
}
