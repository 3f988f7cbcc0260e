package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack on AMD-Vi, host page tables")
class AmdViContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/x86/amd-b650e-pg", EmbeddedLab.Places.PC, HostOptions.USUAL);
  }
}
