package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on our own stack on AMD-Vi, guest page tables (version 2)")
class AmdViGuestTablesContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/x86/amd-b650e-pg", EmbeddedLab.Places.PC, HostOptions.USUAL.withStage(1));
  }
}
