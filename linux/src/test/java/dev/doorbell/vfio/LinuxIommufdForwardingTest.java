package dev.doorbell.vfio;

import dev.doorbell.linux.LinuxOptions.Access;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on Linux: iommufd and device files, vectors one by one, over a kernel in memory")
class LinuxIommufdForwardingTest extends ForwardingContract {
  @Override
  VfioLab open() {
    return new FakeKernelLab(Access.IOMMUFD, true);
  }
}
