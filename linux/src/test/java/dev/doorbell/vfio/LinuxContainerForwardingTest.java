package dev.doorbell.vfio;

import dev.doorbell.linux.LinuxOptions.Access;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on Linux: VFIO containers, vectors taken together, over a kernel in memory")
class LinuxContainerForwardingTest extends ForwardingContract {
  @Override
  VfioLab open() {
    return new FakeKernelLab(Access.CONTAINER, false);
  }
}
