package dev.doorbell.vfio;

import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack on POWER9's bridges")
class PowerContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return new PowerLab();
  }
}
