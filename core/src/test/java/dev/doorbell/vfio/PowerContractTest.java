package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack on POWER9's bridges")
class PowerContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/ppc64le/talos2-power9", EmbeddedLab.Places.POWER9, HostOptions.USUAL);
  }
}
