package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Viability;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "Linux: what a user is told of a call that the kernel refuses, and that everything is given back")
class RefusedCallsTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");

  // spotless:off
  @ParameterizedTest(name = "{0} {1} with {2}: {3}")
  @CsvSource(delimiter = '|', textBlock = """
      # no module
      CONTAINER | open /dev/vfio/vfio                 | ENOENT     | modprobe vfio-pci
      CONTAINER | open /dev/vfio/vfio                 | ENODEV     | modprobe vfio-pci
      IOMMUFD   | open /dev/iommu                     | ENOENT     | modprobe iommufd
      CONTAINER | open /dev/vfio/1                    | ENOENT     | bind [0000:00:01.0] to vfio-pci
      # no permission
      CONTAINER | open /dev/vfio/vfio                 | EACCES     | give this user access
      CONTAINER | open /dev/vfio/1                    | EACCES     | give this user access
      CONTAINER | open /dev/vfio/1                    | EPERM      | give this user access
      IOMMUFD   | open /dev/iommu                     | EACCES     | give this user access
      IOMMUFD   | open /dev/vfio/devices/vfio1        | EACCES     | give this user access
      # too many files
      CONTAINER | open /dev/vfio/1                    | EMFILE     | ulimit -n
      # a kernel that is too old for a call
      IOMMUFD   | IOMMU_IOAS_ALLOC                    | ENOTTY     | newer kernel
      IOMMUFD   | VFIO_DEVICE_BIND_IOMMUFD            | ENOTTY     | newer kernel
      CONTAINER | VFIO_SET_IOMMU                      | ENOTTY     | newer kernel
      CONTAINER | VFIO_DEVICE_GET_REGION_INFO         | ENOTTY     | newer kernel
      # somebody has it
      CONTAINER | open /dev/vfio/1                    | EBUSY      | another process
      CONTAINER | VFIO_GROUP_SET_CONTAINER            | EBUSY      | another container
      CONTAINER | VFIO_GROUP_GET_DEVICE_FD            | EBUSY      | close it there first
      IOMMUFD   | VFIO_DEVICE_BIND_IOMMUFD            | EBUSY      | another container
      IOMMUFD   | open /dev/vfio/devices/vfio1        | EBUSY      | another process
      IOMMUFD   | VFIO_DEVICE_ATTACH_IOMMUFD_PT       | EINVAL     | cannot use this IOVA space
      IOMMUFD   | VFIO_DEVICE_ATTACH_IOMMUFD_PT       | EADDRINUSE | cannot use this IOVA space
      """)
  // spotless:on
  @DisplayName("no module, no permission, too old, in use")
  void told(Access access, String call, String errno, String words, @TempDir Path root) {
    Map<String, Integer> before = Held.now();
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    if (call.startsWith("open ")) {
      failing.failOpen(call.substring("open ".length()), Errno.named(errno));
    } else {
      failing.failIoctl(request(call), Errno.named(errno));
    }
    LinuxOptions o = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    RuntimeException e = assertThrows(RuntimeException.class, () -> session(o));
    String all = e.getMessage() + "; " + ((dev.doorbell.explain.Refused) e).refusal().advice();
    assertTrue(all.contains(words), all);
    assertEquals(before, Held.now(), all);
    failing.fail(-1, Errno.EIO);
    session(o);
    assertEquals(before, Held.now());
  }

  @ParameterizedTest(name = "{0} {1} with {2}")
  @CsvSource({
    "CONTAINER, VFIO_SET_IOMMU, EPERM",
    "CONTAINER, VFIO_GROUP_SET_CONTAINER, EINVAL",
    "IOMMUFD, VFIO_DEVICE_BIND_IOMMUFD, EINVAL"
  })
  @DisplayName(
      "a region that firmware wants one to one: named, with EPERM of Intel's driver and with EINVAL of kernels from 6.6 on; and only with them")
  void firmwareDemands(Access access, String call, String errno, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.write("sys/class/iommu/dmar0/x", "");
    String regions = "sys/kernel/iommu_groups/1/reserved_regions";
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    for (String kind : List.of("direct", "direct-relaxable", "reserved")) {
      k.write(regions, "0x00000000000e0000 0x00000000000effff %s\n".formatted(kind));
      for (String e : List.of(errno, "ENXIO")) {
        failing.failIoctl(request(call), Errno.named(e));
        RuntimeException x = assertThrows(RuntimeException.class, () -> session(o));
        boolean demanded = kind.equals("direct") && e.equals(errno);
        assertEquals(demanded, x.getMessage().contains("firmware demands"), x::getMessage);
        if (demanded) {
          assertEquals(Errno.named(errno), ((ErrnoException) x).errno());
          assertTrue(x.getMessage().contains("at [0xe0000, 0xeffff]"), x::getMessage);
          String advice = ((ErrnoException) x).refusal().advice();
          assertTrue(advice.contains("RMRR"), advice);
          assertEquals(
              access == Access.IOMMUFD,
              x.getMessage().contains("; or another process has bound 0000:00:01.0"),
              x::getMessage);
          assertEquals(access == Access.IOMMUFD, advice.contains("dmesg"), advice);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({"CONTAINER, VFIO_SET_IOMMU", "IOMMUFD, VFIO_DEVICE_BIND_IOMMUFD"})
  @DisplayName(
      "EPERM where firmware wants a region and no IOMMU is Intel's, and with iommufd: missing isolation, as only Intel's driver answers firmware's demand so")
  void isolationBeforeFirmware(Access access, String call, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.hideInterrupts();
    k.write(
        "sys/kernel/iommu_groups/1/reserved_regions",
        "0x00000000000e0000 0x00000000000effff direct\n");
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    failing.failIoctl(request(call), Errno.EPERM);
    NotIsolated e = assertThrows(NotIsolated.class, () -> session(o));
    String module = access == Access.CONTAINER ? "vfio_iommu_type1" : "iommufd";
    String source = e.refusal().source().toString();
    assertTrue(source.contains(module + "/parameters/allow_unsafe_interrupts"), source);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "iommufd: EPERM where interrupts are isolated, or need not be, is another user of the group, and where sysfs names one, NotViable")
  void anotherOwner(boolean isolated, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    if (!isolated) {
      k.hideInterrupts();
      k.allowUnsafeInterrupts(true);
    }
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o = new LinuxOptions(failing.calls(), root, Access.IOMMUFD, false, f -> List.of());
    failing.failIoctl(IommufdLayout.VFIO_DEVICE_BIND_IOMMUFD, Errno.EPERM);
    InUse e = assertThrows(InUse.class, () -> unsafe(o));
    assertTrue(e.getMessage().contains("group 1 is in use by another process"), e::getMessage);
    failing.atOpen("/dev/vfio/devices/vfio1", () -> k.takenBy(F, "nvme", false));
    NotViable v = assertThrows(NotViable.class, () -> unsafe(o));
    assertTrue(v.getMessage().contains("driver nvme"), v::getMessage);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "containers: EPERM while a group enters is its owner, whom sysfs does not name, never a missing right")
  void ownedGroup(boolean later, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    Sbdf other = Sbdf.parse("00:02.0");
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.add(other, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      if (later) {
        c.attach(vfio.group(other));
      }
      failing.failIoctl(VfioLayout.VFIO_GROUP_SET_CONTAINER, Errno.EPERM);
      InUse e = assertThrows(InUse.class, () -> c.attach(vfio.group(F)));
      assertTrue(
          e.getMessage().contains("group 1 is in use by another process, or"), e::getMessage);
      assertEquals(later, e.getMessage().contains("not isolated"), e::getMessage);
    }
  }

  @Test
  @DisplayName("each interface has its own switch for unsafe interrupts")
  void ownSwitch(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.write("sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n");
    HostFiles files = new HostFiles(root);
    assertFalse(files.allowsUnsafeInterrupts(Access.CONTAINER));
    assertTrue(files.allowsUnsafeInterrupts(Access.IOMMUFD));
    k.remove("sys/module/vfio_iommu_type1");
    assertTrue(files.allowsUnsafeInterrupts(Access.CONTAINER), "containers are iommufd's");
  }

  @Test
  @DisplayName("a group is blocked by any device of the host in it, of PCI or not")
  void platformBlocker(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    String device = "sys/kernel/iommu_groups/1/devices/12300000.dma";
    k.write(device + "/x", "");
    HostFiles files = new HostFiles(root);
    assertEquals(List.of(), files.blockers(1));
    k.sysfs.link(device + "/driver", "sys/bus/platform/drivers/vfio-platform");
    assertEquals(List.of(), files.blockers(1));
    k.sysfs.link(device + "/driver", "sys/bus/platform/drivers/pl330");
    Viability.Blocker b = files.blockers(1).getFirst();
    assertEquals("12300000.dma", b.function());
    assertEquals("driver pl330", b.user());
  }

  @Test
  @DisplayName("iommufd: EINVAL where firmware demands nothing names a user, and the other cause")
  void boundOrBroken(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o = new LinuxOptions(failing.calls(), root, Access.IOMMUFD, false, f -> List.of());
    failing.failIoctl(IommufdLayout.VFIO_DEVICE_BIND_IOMMUFD, Errno.EINVAL);
    InUse e = assertThrows(InUse.class, () -> session(o));
    String both = "another process, or its driver cannot start it";
    assertTrue(e.getMessage().contains(both), e::getMessage);
    assertTrue(e.refusal().advice().contains("dmesg"), e.refusal()::advice);
  }

  @Test
  @DisplayName("EPERM where unsafe interrupts are allowed is not told as missing isolation")
  void anotherReason(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.allowUnsafeInterrupts(true);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of());
    failing.failIoctl(VfioLayout.VFIO_SET_IOMMU, Errno.EPERM);
    ErrnoException e = assertThrows(ErrnoException.class, () -> session(o));
    assertEquals(Errno.EPERM, e.errno());
    assertTrue(e.getMessage().contains("the driver of its IOMMU"), e::getMessage);
    assertFalse(e.refusal().advice().contains("root"), e.refusal()::advice);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "a driver of the host that takes a function meanwhile: NotViable, whether the kernel says so when asked or by EPERM")
  void takenMeanwhile(boolean asked, @TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of());
    if (!asked) {
      failing.failIoctl(VfioLayout.VFIO_GROUP_SET_CONTAINER, Errno.EPERM);
    }
    boolean[] opened = new boolean[1];
    failing.atOpen(
        "/dev/vfio/1",
        () -> {
          opened[0] = true;
          k.takenBy(F, "nvme", asked);
        });
    NotViable e = assertThrows(NotViable.class, () -> session(o));
    assertTrue(opened[0]);
    assertTrue(e.getMessage().contains("driver nvme"), e::getMessage);
  }

  @Test
  @DisplayName(
      "a later group that the container's IOMMU finds in use: InUse, and the first one works on")
  void laterGroupInUse(@TempDir Path root) {
    FakeKernel k = new FakeKernel(root);
    Sbdf other = Sbdf.parse("00:02.0");
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.add(other, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls failing = new FailingCalls(k.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      failing.failIoctl(VfioLayout.VFIO_GROUP_SET_CONTAINER, Errno.EBUSY);
      assertThrows(InUse.class, () -> c.attach(vfio.group(other)));
      failing.fail(-1, Errno.EIO);
      c.attach(vfio.group(other));
      assertEquals(2, c.groups().size());
    }
  }

  // spotless:off
  @ParameterizedTest(name = "{0} {1} with {2}: {3}")
  @CsvSource(delimiter = '|', textBlock = """
      # the device is gone in the middle
      CONTAINER | VFIO_GROUP_GET_DEVICE_FD            | ENODEV     | not bound to a VFIO driver
      CONTAINER | VFIO_DEVICE_SET_IRQS                | ENODEV     | the function is gone
      IOMMUFD   | VFIO_DEVICE_SET_IRQS                | EIO        | the function is gone
      IOMMUFD   | VFIO_DEVICE_SET_IRQS                | ENXIO      | the function is gone
      IOMMUFD   | VFIO_DEVICE_GET_REGION_INFO         | ENODEV     | the device is gone
      # memory
      CONTAINER | VFIO_IOMMU_MAP_DMA                  | EFAULT     | not this process's own pages
      IOMMUFD   | IOMMU_IOAS_MAP                      | ENOMEM     | RLIMIT_MEMLOCK
      # vectors
      CONTAINER | VFIO_DEVICE_SET_IRQS                | ENOSPC     | and 0 are free
      IOMMUFD   | VFIO_DEVICE_SET_IRQS                | ENOSPC     | and 0 are free
      CONTAINER | VFIO_DEVICE_SET_IRQS                | EINVAL     | disable the function's vectors first
      """)
  // spotless:on
  @DisplayName("gone in the middle, no memory, no vectors")
  void toldLater(Access access, String call, String errno, String words, @TempDir Path root) {
    told(access, call, errno, words, root);
  }

  private static Ioctl request(String name) {
    for (Class<?> layout : List.of(VfioLayout.class, IommufdLayout.class)) {
      try {
        return (Ioctl) layout.getDeclaredField(name).get(null);
      } catch (NoSuchFieldException e) {
        // The other one has it.
        continue;
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
    throw new AssertionError("no request " + name);
  }

  private static void session(LinuxOptions options) {
    session(options, ContainerOptions.USUAL);
  }

  private static void unsafe(LinuxOptions options) {
    session(options, ContainerOptions.USUAL.withUnsafeInterrupts());
  }

  private static void session(LinuxOptions options, ContainerOptions how) {
    try (LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(how)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x2000);
          Device d = vfio.group(F).open(F)) {
        c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
        try {
          d.enable(IrqType.MSIX, 2, List.of(new EventCounter(), new EventCounter()));
        } finally {
          c.unmap(c.iovaRanges().getFirst());
        }
      }
    }
  }
}
