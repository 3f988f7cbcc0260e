package dev.doorbell.vfio;

import dev.doorbell.linux.FakePower;
import dev.doorbell.linux.LinuxOptions.Access;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on Linux on POWER: SPAPR TCE version 2, over a kernel in memory")
class LinuxSpaprContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return new FakeKernelLab(Access.CONTAINER, false, FakePower.POWERNV);
  }
}
