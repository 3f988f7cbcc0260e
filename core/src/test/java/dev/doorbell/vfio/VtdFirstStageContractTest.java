package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on our own stack on VT-d in scalable mode, first-stage tables")
class VtdFirstStageContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/x86/thinkpad-p17-g2", EmbeddedLab.Places.PC, HostOptions.USUAL.withStage(1));
  }
}
