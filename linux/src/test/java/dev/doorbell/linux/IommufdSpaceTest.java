package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("iommufd: an IOAS by itself, without the container around it")
class IommufdSpaceTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final Sbdf G = Sbdf.parse("00:02.0");

  private final Map<String, Integer> before = Held.now();
  private FakeKernel kernel;

  @BeforeEach
  void start(@TempDir Path root) {
    kernel = new FakeKernel(root);
    kernel.add(F, EndpointSpec.demo(8), "vfio-pci", false);
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private LinuxVfio vfio() {
    return LinuxVfio.open(
        new LinuxOptions(kernel.calls(), kernel.root(), Access.IOMMUFD, false, f -> List.of()));
  }

  private IommufdSpace space() {
    return IommufdSpace.open(new Kernel(kernel.calls()), new HostFiles(kernel.root()), "a space");
  }

  @Test
  @DisplayName("a function that has no file of its own here is told in words")
  void strangers() {
    kernel.add(G, EndpointSpec.demo(8), "", false);
    kernel.join(G, F);
    try (LinuxVfio vfio = vfio();
        IommufdSpace space = space()) {
      LinuxGroup group = (LinuxGroup) vfio.group(F);
      ErrnoException none = assertThrows(ErrnoException.class, () -> space.kvmFile(group, F));
      assertEquals(Errno.ENODEV, none.errno());
      space.attach(group);
      assertTrue(space.kvmFile(group, F).isOpen());
      ErrnoException e = assertThrows(ErrnoException.class, () -> space.kvmFile(group, G));
      assertEquals(Errno.ENODEV, e.errno());
      assertTrue(e.getMessage().contains(G + " is not bound to a VFIO driver"), e::getMessage);
      space.detach(group);
    }
  }

  @Test
  @DisplayName("out_iova_alignment below 4 KiB: pages of 4 KiB all the same; above, as it says")
  void alignment() {
    try (LinuxVfio vfio = vfio();
        IommufdSpace space = space()) {
      space.attach((LinuxGroup) vfio.group(F));
      kernel.alignment = 1;
      space.windows().forEach(w -> assertEquals(-0x1000, w.pageSizes()));
      kernel.alignment = Granule.K64.bytes();
      space.windows().forEach(w -> assertEquals(Granule.K64, w.granule()));
      assertEquals(2, space.windows().size());
    }
  }

  @Test
  @DisplayName("a space that is closed with a group in it gives the devices' files back")
  void closedWithGroups() {
    try (LinuxVfio vfio = vfio();
        IommufdSpace space = space()) {
      space.attach((LinuxGroup) vfio.group(F));
    }
    assertEquals(Map.of(), kernel.files);
  }
}
