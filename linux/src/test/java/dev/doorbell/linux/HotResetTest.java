package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Linux: a hot reset, its dependent functions and who must own them")
class HotResetTest {
  private static final Sbdf F = Sbdf.parse("03:01.0");
  private static final Sbdf G = Sbdf.parse("03:02.0");
  private static final Sbdf H = Sbdf.parse("03:0a.0");
  private static final Sbdf ELSEWHERE = Sbdf.parse("04:03.0");

  /// A register of the demonstration device that a reset clears.
  private static final long REGISTER = dev.doorbell.hw.pcie.DemoLayout.SOURCE.offset();

  private final Map<String, Integer> before = Held.now();
  private FakeKernel kernel;

  @BeforeEach
  void bus(@TempDir Path root) {
    kernel = new FakeKernel(root);
    for (Sbdf f : List.of(F, G, H, ELSEWHERE)) {
      kernel.add(f, EndpointSpec.demo(4), "vfio-pci", false);
    }
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private LinuxVfio open(Access access) {
    return LinuxVfio.open(
        new LinuxOptions(kernel.calls(), kernel.root(), access, false, f -> List.of()));
  }

  private static void touch(LinuxDevice d) {
    d.region(RegionType.BAR0).write(REGISTER, 0x1234, Long.BYTES);
    assertEquals(0x1234, d.region(RegionType.BAR0).read(REGISTER, Long.BYTES));
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "VFIO_DEVICE_PCI_HOT_RESET: all of the bus are told, refused while one is a stranger's, and then reset together")
  void together(Access access) {
    try (LinuxVfio vfio = open(access);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      for (Sbdf f : List.of(F, G, ELSEWHERE)) {
        c.attach(vfio.group(f));
      }
      try (LinuxDevice f = (LinuxDevice) vfio.group(F).open(F);
          LinuxDevice g = (LinuxDevice) vfio.group(G).open(G);
          LinuxDevice other = (LinuxDevice) vfio.group(ELSEWHERE).open(ELSEWHERE)) {
        assertEquals(List.of(F, G, H), f.resetTogether());
        assertEquals(List.of(ELSEWHERE), other.resetTogether());
        touch(f);
        touch(g);
        touch(other);
        ErrnoException e = assertThrows(ErrnoException.class, f::hotReset);
        assertEquals(Errno.EINVAL, e.errno());
        assertTrue(e.getMessage().contains("would be reset, too: [" + F), e::getMessage);
        assertTrue(e.getMessage().contains(H.toString()), e::getMessage);
        assertTrue(e.refusal().advice().contains("attach their groups"), e.refusal()::advice);
        assertEquals(0x1234, g.region(RegionType.BAR0).read(REGISTER, Long.BYTES));
        c.attach(vfio.group(H));
        f.hotReset();
        assertEquals(0, f.region(RegionType.BAR0).read(REGISTER, Long.BYTES));
        assertEquals(0, g.region(RegionType.BAR0).read(REGISTER, Long.BYTES));
        assertEquals(0x1234, other.region(RegionType.BAR0).read(REGISTER, Long.BYTES));
      }
    }
  }

  @Test
  @DisplayName("functions of one group: its file proves once that they are the caller's")
  void oneGroup() {
    Sbdf first = Sbdf.parse("05:06.0");
    for (Sbdf f : List.of(first, Sbdf.parse("05:06.1"), Sbdf.parse("05:07.0"))) {
      kernel.add(f, EndpointSpec.demo(4), "vfio-pci", false);
    }
    try (LinuxVfio vfio = open(Access.CONTAINER);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(first));
      c.attach(vfio.group(Sbdf.parse("05:07.0")));
      try (LinuxDevice d = (LinuxDevice) vfio.group(first).open(first)) {
        assertEquals(3, d.resetTogether().size());
        d.hotReset();
        assertEquals(2, kernel.functions.get(first).provenBy, "one file a group");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("functions are told with their segment")
  void segment(Access access) {
    Sbdf far = Sbdf.parse("0001:05:07.0");
    kernel.add(far, EndpointSpec.demo(4), "vfio-pci", false);
    try (LinuxVfio vfio = open(access);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(far));
      try (LinuxDevice d = (LinuxDevice) vfio.group(far).open(far)) {
        assertEquals(List.of(far), d.resetTogether());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a function without a reset of its own: told so, and that its bus may be reset")
  void noneOfItsOwn(Access access) {
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (LinuxDevice f = (LinuxDevice) vfio.group(F).open(F)) {
        for (Errno e : List.of(Errno.EINVAL, Errno.ENOTTY)) {
          failing.failIoctl(VfioLayout.VFIO_DEVICE_RESET, e);
          ErrnoException x = assertThrows(ErrnoException.class, f::reset);
          assertTrue(x.getMessage().contains("no reset of its own"), x::getMessage);
          assertTrue(x.refusal().advice().contains("hot reset"), x.refusal()::advice);
        }
        failing.failIoctl(VfioLayout.VFIO_DEVICE_RESET, Errno.EAGAIN);
        ErrnoException taken = assertThrows(ErrnoException.class, f::reset);
        assertTrue(taken.getMessage().contains("taking the function away"), taken::getMessage);
        assertTrue(taken.refusal().advice().contains("close it"), taken.refusal()::advice);
        failing.failIoctl(VfioLayout.VFIO_DEVICE_PCI_HOT_RESET, Errno.EPERM);
        ErrnoException others = assertThrows(ErrnoException.class, f::hotReset);
        assertTrue(others.getMessage().contains("would be reset, too: [" + F), others::getMessage);
        failing.failIoctl(VfioLayout.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, Errno.ENODEV);
        ErrnoException x = assertThrows(ErrnoException.class, f::resetTogether);
        assertEquals(Errno.ENODEV, x.errno());
        failing.fail(-1, Errno.EIO);
      }
    }
  }
}
