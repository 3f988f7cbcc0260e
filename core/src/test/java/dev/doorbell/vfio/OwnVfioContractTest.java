package dev.doorbell.vfio;

import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack")
class OwnVfioContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return new OwnLab();
  }
}
