package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack on an SMMUv3 and an ITS")
class SmmuV3ContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/arm64/qemu-virt-smmuv3-its",
        EmbeddedLab.Places.PC,
        HostOptions.USUAL,
        EmbeddedLab.Messages.TRANSLATED);
  }
}
