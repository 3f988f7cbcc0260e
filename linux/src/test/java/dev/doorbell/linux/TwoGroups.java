package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// Tests of containers on a kernel in memory with two functions, each in a group of its own. A test gives all back that it took.
abstract class TwoGroups {
  static final Sbdf F = Sbdf.parse("00:01.0");
  static final Sbdf G = Sbdf.parse("00:02.0");
  static final Iova FROM = new Iova(0x10_0000);
  static final AddressRange LOW = AddressRange.ofSize(0, 0x100_0000);

  private final Map<String, Integer> before = Held.now();
  FakeKernel kernel;

  @BeforeEach
  void start(@TempDir Path root) {
    kernel = new FakeKernel(root);
    kernel.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    kernel.add(G, EndpointSpec.demo(8), "vfio-pci", false);
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  LinuxVfio open(Access access) {
    return LinuxVfio.open(
        new LinuxOptions(kernel.calls(), kernel.root(), access, false, f -> List.of()));
  }
}
