package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.EndpointSpec.Msi;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.linux.LinuxAssignment.Assigned;
import dev.doorbell.linux.LinuxAssignment.Request;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchFunction;
import dev.doorbell.vfio.NotViable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName(
    "issue 4.5: functions of the running host assigned, and everything as it was at the end")
class LinuxAssignmentTest {
  private static final Sbdf NIC = Sbdf.parse("00:06.0");
  private static final Sbdf EDU = Sbdf.parse("00:05.0");
  private static final Request TAKE = new Request(1, 2048, false, true, Optional.empty());

  @TempDir Path root;
  private FakeKernel kernel;
  private Map<String, Integer> held;

  @BeforeEach
  void machine() {
    held = Held.now();
    kernel = new FakeKernel(root);
    kernel.add(NIC, EndpointSpec.demo(5), "e1000e", true);
    kernel.add(EDU, EndpointSpec.demoMsi(new Msi(1, true, false)), "", false);
  }

  private LinuxOptions options() {
    return new LinuxOptions(kernel.calls(), root, Access.CONTAINER, false, f -> List.of());
  }

  private void asBefore() {
    assertEquals("e1000e", kernel.driver(NIC));
    assertEquals("", kernel.driver(EDU));
    for (Sbdf f : List.of(NIC, EDU)) {
      assertEquals("(null)\n", kernel.read(HostFiles.device(f) + "/driver_override"));
    }
    assertEquals(held, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("every vector that is raised is counted, and so does the kernel; then all is undone")
  void countsAndUndoes(Access access) {
    Request request = new Request(1, 2048, false, true, Optional.of(access));
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC, EDU), request)) {
      assertEquals(access, a.access());
      assertEquals("vfio-pci", kernel.driver(NIC));
      Assigned nic = a.functions().getFirst();
      assertEquals(Optional.of("e1000e"), nic.before());
      assertEquals(5, nic.vectors().size());
      assertEquals(IrqType.MSI, a.functions().getLast().type());
      for (int v = 0; v < 5; v++) {
        for (int i = 0; i <= v; i++) {
          kernel.raise(NIC, v);
        }
      }
      kernel.raise(EDU, 0);
      SortedMap<Integer, KernelInterrupt> seen =
          new KernelInterrupts(options()).of(NIC).thing().orElseThrow();
      for (int v = 0; v < 5; v++) {
        assertEquals(v + 1, nic.counted(v));
        assertEquals(v + 1, seen.get(v).count());
      }
      assertEquals(1, a.functions().getLast().counted(0));
    }
    asBefore();
  }

  @Test
  @DisplayName("iommufd is used where every device has a file of its own, else containers")
  void choosesAccess() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      assertEquals(Access.IOMMUFD, a.access());
    }
    kernel.hideDeviceFiles();
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      assertEquals(Access.CONTAINER, a.access());
    }
    asBefore();
  }

  @Test
  @DisplayName("what is programmed is read from the hardware: table, mask and pending bits")
  void readsProgrammed() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC, EDU), TAKE)) {
      Assigned nic = a.functions().getFirst();
      List<ProgrammedVector> own =
          VectorRegisters.of(options(), nic.device()).read(9).thing().orElseThrow();
      List<ProgrammedVector> sysfs =
          VectorRegisters.of(options(), NIC).read(9).thing().orElseThrow();
      assertEquals(5, own.size());
      assertEquals(own, sysfs);
      assertEquals(FakeFunction.DOORBELL, own.get(3).address());
      assertEquals(3, own.get(3).data());
      assertEquals(Optional.of(false), own.get(3).masked());
      kernel.mask(NIC, 3, true);
      kernel.raise(NIC, 3);
      ProgrammedVector held3 =
          VectorRegisters.of(options(), NIC).read(9).thing().orElseThrow().get(3);
      assertEquals(Optional.of(true), held3.masked());
      assertEquals(Optional.of(true), held3.pending());
      assertEquals(0, nic.counted(3));
      ProgrammedVector edu =
          VectorRegisters.of(options(), EDU).read(9).thing().orElseThrow().getFirst();
      assertEquals(IrqType.MSI, edu.type());
      assertEquals(FakeFunction.DOORBELL, edu.address());
      assertEquals(Optional.empty(), edu.masked());
    }
    asBefore();
  }

  @Test
  @DisplayName(
      "64 bytes of configuration space, as a user without rights gets: not seen, not absent")
  void notSeen() {
    kernel.truncateConfig(NIC, 64);
    Seen<List<ProgrammedVector>> seen = VectorRegisters.of(options(), NIC).read(1);
    assertTrue(seen.isNotVisible(), seen::toString);
    assertTrue(seen.toString().contains("64 bytes"), seen::toString);
  }

  @Test
  @DisplayName("a function that works for the host is refused with driver and use named, untouched")
  void driverInUse() {
    kernel.write(HostFiles.device(NIC) + "/net/eth0/x", "");
    Request polite = new Request(1, 2048, false, false, Optional.empty());
    DriverInUse e =
        assertThrows(DriverInUse.class, () -> LinuxAssignment.of(options(), List.of(NIC), polite));
    assertEquals(List.of(NIC.toString(), "e1000e"), e.refusal().objects());
    assertTrue(e.getMessage().contains("net eth0"), e::getMessage);
    assertTrue(e.refusal().advice().contains("--yes"), e.refusal()::advice);
    asBefore();
  }

  @Test
  @DisplayName("a mate of the group that works for the host is named before anything is touched")
  void mateInUse() {
    kernel.join(EDU, NIC);
    NotViable e =
        assertThrows(NotViable.class, () -> LinuxAssignment.of(options(), List.of(EDU), TAKE));
    assertTrue(e.getMessage().contains(NIC.toString()), e::getMessage);
    assertTrue(e.getMessage().contains("e1000e"), e::getMessage);
    asBefore();
  }

  @ParameterizedTest
  @CsvSource({
    "pci-stub, true",
    "pcieport, true",
    "mlx5_vfio_pci, true",
    "xe-vfio-pci, true",
    "shpchp, false",
    "vfio_like, false"
  })
  @DisplayName("a mate whose driver leaves DMA to users does no harm; any other's does")
  void mateOf(String driver, boolean harmless) {
    Sbdf mate = Sbdf.parse("00:07.0");
    kernel.add(mate, EndpointSpec.demo(2), driver, true);
    kernel.join(EDU, mate);
    if (harmless) {
      LinuxAssignment.of(options(), List.of(EDU), TAKE).close();
    } else {
      NotViable e =
          assertThrows(NotViable.class, () -> LinuxAssignment.of(options(), List.of(EDU), TAKE));
      assertTrue(e.getMessage().contains(driver), e::getMessage);
    }
    asBefore();
  }

  @Test
  @DisplayName("no module, no IOMMU, no such function: each by its own type with its cure")
  void notPossible() {
    assertThrows(
        NoSuchFunction.class,
        () -> LinuxAssignment.of(options(), List.of(Sbdf.parse("07:00.0")), TAKE));
    kernel.remove("sys/bus/pci/drivers/vfio-pci");
    NoPassthrough driver =
        assertThrows(NoPassthrough.class, () -> LinuxAssignment.of(options(), List.of(NIC), TAKE));
    assertEquals("NoVfioDriver", driver.refusal().type());
    assertTrue(driver.refusal().advice().contains("modprobe vfio-pci"));
    kernel.remove("sys/class/iommu");
    kernel.remove("sys/kernel/iommu_groups");
    kernel.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
    NoPassthrough iommu =
        assertThrows(NoPassthrough.class, () -> LinuxAssignment.of(options(), List.of(NIC), TAKE));
    assertEquals("NoIommu", iommu.refusal().type());
    assertTrue(iommu.getMessage().contains("without IOMMU is on"), iommu::getMessage);
    asBefore();
  }

  @Test
  @DisplayName("too few vectors, of the function or of the host, are refused and undone")
  void tooFew() {
    Request six = new Request(6, 8, false, true, Optional.empty());
    assertThrows(TooFewVectors.class, () -> LinuxAssignment.of(options(), List.of(NIC), six));
    asBefore();
    kernel.limitVectors(NIC, 3);
    Request four = new Request(4, 8, false, true, Optional.empty());
    VectorsExhausted e =
        assertThrows(
            VectorsExhausted.class, () -> LinuxAssignment.of(options(), List.of(NIC), four));
    assertEquals(4, e.refusal().needed().orElseThrow().value());
    assertEquals(3, e.refusal().available().orElseThrow().value());
    asBefore();
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      assertEquals(3, a.functions().getFirst().vectors().size());
    }
    asBefore();
  }

  @Test
  @DisplayName("a second user is refused, and the first one goes on")
  void twice() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      assertThrows(InUse.class, () -> LinuxAssignment.of(options(), List.of(NIC), TAKE));
      kernel.raise(NIC, 1);
      assertEquals(1, a.functions().getFirst().counted(1));
      assertEquals("vfio-pci", kernel.driver(NIC));
    }
    asBefore();
  }

  @Test
  @DisplayName("a function that vfio-pci had already stays with it, its driver_override too")
  void hadVfio() {
    Sbdf own = Sbdf.parse("00:07.0");
    kernel.add(own, EndpointSpec.demo(2), "vfio-pci", true);
    kernel.write(HostFiles.device(own) + "/driver_override", "vfio-pci\n");
    Request polite = new Request(1, 2048, false, false, Optional.empty());
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(own), polite)) {
      assertEquals(2, a.functions().getFirst().vectors().size());
    }
    assertEquals("vfio-pci", kernel.driver(own));
    assertEquals("vfio-pci\n", kernel.read(HostFiles.device(own) + "/driver_override"));
    asBefore();
  }

  @Test
  @DisplayName("a driver_override that somebody set before is there again at the end")
  void hadOverride() {
    String file = HostFiles.device(NIC) + "/driver_override";
    kernel.write(file, "e1000e\n");
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      assertEquals("vfio-pci\n", kernel.read(file));
      assertEquals(1, a.functions().size());
    }
    assertEquals("e1000e\n", kernel.read(file));
    assertEquals("e1000e", kernel.driver(NIC));
    assertEquals(held, Held.now());
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("whichever system call fails, everything is as before and another try works")
  void everyFailure(Access access) {
    Request request = new Request(1, 4, false, true, Optional.of(access));
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions options = new LinuxOptions(failing.calls(), root, access, false, f -> List.of());
    for (int i = 0; i < 200; i++) {
      failing.fail(i, Errno.EIO);
      try (LinuxAssignment a = LinuxAssignment.of(options, List.of(NIC), request)) {
        failing.fail(-1, Errno.EIO);
        assertFalse(a.functions().isEmpty());
        assertTrue(i > 20, "calls that failed: " + i);
        return;
      } catch (ErrnoException e) {
        assertEquals(Errno.EIO, e.errno());
      }
      asBefore();
    }
    throw new AssertionError("an assignment never came about");
  }

  @Test
  @DisplayName("no right to bind: the cure is root, not a stack of errnos")
  void noPermission() {
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions options =
        new LinuxOptions(failing.calls(), root, Access.CONTAINER, false, f -> List.of());
    failing.fail(0, Errno.EACCES);
    ErrnoException e =
        assertThrows(ErrnoException.class, () -> LinuxAssignment.of(options, List.of(NIC), TAKE));
    assertTrue(e.getMessage().contains("may not bind drivers"), e::getMessage);
    assertEquals("run as root", e.refusal().advice());
    asBefore();
  }
}
