package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("structures and request numbers against the kernel's own headers, by the C compiler")
class StructsTest {
  @Test
  @DisplayName("calls of the system: epoll_event, pollfd, msghdr, cmsghdr, iovec, sockaddr_un")
  void system(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(
        folder, SystemLayout.class, "sys/epoll.h", "poll.h", "sys/socket.h", "sys/un.h");
  }

  @Test
  @DisplayName("VFIO: container, group, device, type 1")
  void vfio(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, VfioLayout.class, "linux/vfio.h");
  }

  @Test
  @DisplayName("VFIO: SPAPR TCE, the IOMMU of POWER servers")
  void spapr(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, SpaprLayout.class, "linux/vfio.h");
  }

  @Test
  @DisplayName("iommufd, and the VFIO requests that join a device to it")
  void iommufd(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, IommufdLayout.class, "linux/vfio.h", "linux/iommufd.h");
  }

  @Test
  @DisplayName("POWER packs request numbers otherwise")
  void power() {
    // As seen on a ppc64le kernel: VFIO_GET_API_VERSION is 0x20003b64 there.
    assertEquals(0x20003b64, IoctlNumberLayout.POWER.number(0, ';', 100, 0));
    assertEquals(0x20003b75, IoctlNumberLayout.POWER.number(0, ';', 117, 0));
    assertEquals(0x8020ae76, IoctlNumberLayout.POWER.number(1, 0xae, 0x76, 32));
    assertEquals(0x3b64, IoctlNumberLayout.GENERIC.number(0, ';', 100, 0));
    assertEquals(0x4020ae46, IoctlNumberLayout.GENERIC.number(1, 0xae, 0x46, 32));
  }
}
