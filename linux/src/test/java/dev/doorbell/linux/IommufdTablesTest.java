package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("iommufd: tables that remember writes come and go with the tracking, whatever fails")
class IommufdTablesTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final Sbdf G = Sbdf.parse("00:02.0");
  private static final Iova FROM = new Iova(0x10_0000);
  private static final AddressRange MAPPED = AddressRange.ofSize(FROM.value(), 0x2000);

  private final Map<String, Integer> before = Held.now();
  private FakeKernel kernel;
  private FailingCalls failing;

  @BeforeEach
  void start(@TempDir Path root) {
    kernel = new FakeKernel(root);
    kernel.rememberWrites();
    kernel.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    kernel.add(G, EndpointSpec.demo(8), "vfio-pci", false);
    failing = new FailingCalls(kernel.calls());
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private LinuxVfio open() {
    return LinuxVfio.open(
        new LinuxOptions(failing.calls(), kernel.root(), Access.IOMMUFD, false, f -> List.of()));
  }

  private int tables() {
    return kernel.iommufds().getFirst().tables();
  }

  private static void copy(LinuxVfio vfio, Sbdf f) {
    try (Device d = vfio.group(f).open(f)) {
      d.config().write(4, 6, 2);
      RegisterBus r = d.region(RegionType.BAR0);
      r.write(DemoLayout.SOURCE.offset(), FROM.value(), Long.BYTES);
      r.write(DemoLayout.DESTINATION.offset(), FROM.value() + 0x1000, Long.BYTES);
      r.write(DemoLayout.LENGTH.offset(), 8, Integer.BYTES);
      r.write(DemoLayout.COPY.offset(), DemoLayout.START.place(1), Integer.BYTES);
      assertTrue(DemoLayout.DONE.isSet(r.read(DemoLayout.COPIED.offset(), Integer.BYTES)));
    }
  }

  @Test
  @DisplayName(
      "whichever call of a start fails, no tables are left and functions reach what is mapped")
  void startFails() {
    try (LinuxVfio vfio = open();
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      c.attach(vfio.group(G));
      try (DmaBuffer b = c.allocate(0x2000)) {
        c.map(FROM, b, Protection.READ_WRITE);
        int failed = 0;
        for (int i = 0; i < 6; i++) {
          failing.fail(i, Errno.EIO);
          assertThrows(ErrnoException.class, c::trackWrites);
          failing.fail(-1, Errno.EIO);
          assertEquals(0, tables(), "after failure of call " + i);
          copy(vfio, F);
          copy(vfio, G);
          failed++;
        }
        assertEquals(6, failed);
        try (DirtyPages t = c.trackWrites()) {
          assertEquals(2, tables(), "one a group");
          copy(vfio, G);
          assertEquals(List.of(AddressRange.ofSize(FROM.value() + 0x1000, 0x1000)), t.take());
        }
        assertEquals(0, tables());
        assertEquals(MAPPED.bytes(), c.unmap(MAPPED));
      }
    }
  }

  @Test
  @DisplayName("a group that leaves takes its tables along; one that cannot come leaves none")
  void groupsComeAndGo() {
    try (LinuxVfio vfio = open();
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      DirtyPages t = c.trackWrites();
      failing.failIoctl(IommufdLayout.IOMMU_HWPT_ALLOC, Errno.EIO);
      assertThrows(ErrnoException.class, () -> c.attach(vfio.group(G)));
      failing.fail(-1, Errno.EIO);
      assertEquals(1, tables());
      t.close();
      try (DirtyPages again = c.trackWrites()) {
        assertEquals(1, tables());
        c.attach(vfio.group(G));
        assertEquals(2, tables());
        c.detach(vfio.group(F));
        assertEquals(1, tables());
        assertEquals(List.of(), again.take());
        c.detach(vfio.group(G));
        assertEquals(0, tables());
      }
    }
  }

  @Test
  @DisplayName("a group none of whose functions has a file of its own is refused in words")
  void withoutFiles(@TempDir Path other) {
    FakeKernel k = new FakeKernel(other);
    k.hideDeviceFiles();
    k.add(F, EndpointSpec.demo(8), "", false);
    LinuxOptions o = new LinuxOptions(k.calls(), other, Access.IOMMUFD, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      ErrnoException e = assertThrows(ErrnoException.class, () -> c.attach(vfio.group(F)));
      assertTrue(e.getMessage().contains("no function of group 1"), e::getMessage);
      assertTrue(e.refusal().advice().contains("CONFIG_VFIO_DEVICE_CDEV"), e.refusal()::advice);
      assertTrue(c.groups().isEmpty());
    }
  }
}
