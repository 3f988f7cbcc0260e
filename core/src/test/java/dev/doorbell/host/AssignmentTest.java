package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Vfio;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// The main job on the bundled machines: window, attach, enable, fire, and back.
class AssignmentTest {
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);

  private static Host host(String sample) {
    return Host.start(
        EmbeddedMachine.of(Firmware.read(Sysroot.open(Path.of("..", "samples", sample)))));
  }

  private static Assignment.Request request(Granule granule, AddressRange window, boolean unsafe) {
    return new Assignment.Request(granule, Optional.of(window), 1, 2048, unsafe);
  }

  private static void fireAll(Assignment a, int expected) {
    int fired = 0;
    for (HostFunction f : a.functions()) {
      for (LiveVector v : a.vectors(f)) {
        Assignment.Fired result = a.fire(f, v);
        assertTrue(result.delivered(), result::toString);
        fired++;
      }
    }
    assertEquals(expected, fired);
  }

  @Test
  @DisplayName(
      "every vector of an NVMe function and of a VF behind an ITS arrives, through IOVA 0x8000040")
  void everyVectorArrives() {
    Host host = host("arm64-its-acpi-switch-sriov");
    assignAndFire(host);
    assertEquals(Firing.OFF, host.machine().fire(Sbdf.parse("04:00.0"), 0));
    long kept = host.machine().frames().bytesInUse();
    assignAndFire(host);
    assertEquals(
        kept,
        host.machine().frames().bytesInUse(),
        "stream tables are kept once made; nothing more may stay");
  }

  private static void assignAndFire(Host host) {
    List<Sbdf> functions = List.of(Sbdf.parse("04:00.0"), Sbdf.parse("01:10.0"));
    try (Assignment a = Assignment.of(host, functions, request(Granule.K4, WINDOW, false))) {
      fireAll(a, 20);
      a.functions()
          .forEach(
              f -> a.vectors(f).forEach(v -> assertEquals(0x800_0040L, v.message().address())));
    }
  }

  @Test
  @DisplayName(
      "R2: a window without a whole 64K granule is refused with both figures, and memory in use is as before")
  void tooSmall() {
    Host host = host("arm64-its-acpi-switch-sriov");
    long frames = host.machine().frames().bytesInUse();
    MsiWindowExhausted e =
        assertThrows(
            MsiWindowExhausted.class,
            () ->
                Assignment.of(
                    host,
                    List.of(Sbdf.parse("04:00.0")),
                    request(Granule.K64, new AddressRange(0x800_0000L, 0x800_0fffL), false)));
    assertEquals(65536, e.refusal().needed().orElseThrow().value());
    assertEquals(0, e.refusal().available().orElseThrow().value());
    assertEquals(frames, host.machine().frames().bytesInUse());
  }

  @Test
  @DisplayName(
      "R21: behind a GICv2m frame an assignment is refused unless unsafe interrupts are allowed, and then arrives")
  void gicV2m() {
    Host host = host("arm64-gicv2m-acpi");
    Sbdf nvme =
        host.survey().functions().stream()
            .filter(f -> f.pci().msix().isThere() && !f.pci().isBridge())
            .findFirst()
            .orElseThrow()
            .sbdf();
    assertThrows(
        NotIsolated.class,
        () -> Assignment.of(host, List.of(nvme), request(Granule.K4, WINDOW, false)));
    try (Assignment a = Assignment.of(host, List.of(nvme), request(Granule.K4, WINDOW, true))) {
      assertFalse(a.vectors(a.functions().getFirst()).isEmpty());
      fireAll(a, a.vectors(a.functions().getFirst()).size());
    }
  }

  @Test
  @DisplayName("functions behind two SMMUs share one domain")
  void twoSmmus() {
    Host host = host("arm64-2smmu-acpi");
    List<Sbdf> one =
        host.survey().functions().stream()
            .filter(f -> f.pci().msix().isThere() && !f.pci().isBridge() && f.stream().isPresent())
            .collect(
                java.util.stream.Collectors.toMap(
                    f -> f.stream().orElseThrow().iommu(),
                    f -> f.sbdf(),
                    (x, _) -> x,
                    java.util.TreeMap::new))
            .values()
            .stream()
            .toList();
    assertEquals(2, one.size());
    try (Assignment a = Assignment.of(host, one, request(Granule.K4, WINDOW, false))) {
      fireAll(a, a.functions().stream().mapToInt(f -> a.vectors(f).size()).sum());
    }
  }

  @Test
  @DisplayName(
      "a function that advertises fewer vectors than the minimum is refused with both figures")
  void fewerThanTheMinimum() {
    Host host = host("arm64-its-acpi-switch-sriov");
    Assignment.Request wanted =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 18, 2048, false);
    TooFewVectors e =
        assertThrows(
            TooFewVectors.class, () -> Assignment.of(host, List.of(Sbdf.parse("04:00.0")), wanted));
    assertEquals(18, e.refusal().needed().orElseThrow().value());
    assertEquals(17, e.refusal().available().orElseThrow().value());
    assertEquals(Firing.OFF, host.machine().fire(Sbdf.parse("04:00.0"), 0));
  }

  @Test
  @DisplayName("a root port (MSI-X, no BAR) and a switch port (MSI) stay with the host")
  void bridges() {
    Host host = host("arm64-its-acpi-switch-sriov");
    for (String port : List.of("00:02.0", "03:00.0")) {
      List<Sbdf> functions = List.of(Sbdf.parse(port));
      assertThrows(
          NotAssignable.class,
          () -> Assignment.of(host, functions, request(Granule.K4, WINDOW, false)));
    }
  }

  @Test
  @DisplayName(
      "a group that an assignment has is not viable for a program on the user's API, and is afterwards")
  void takenByAssignment() {
    Host host = host("arm64-its-acpi-switch-sriov");
    Sbdf sbdf = Sbdf.parse("01:00.0");
    try (Vfio vfio = HostVfio.open(host);
        Container container = vfio.open(ContainerOptions.USUAL)) {
      Group group = vfio.group(sbdf);
      try (Assignment a = Assignment.of(host, List.of(sbdf), request(Granule.K4, WINDOW, false))) {
        assertEquals(1, a.functions().size());
        NotViable e = assertThrows(NotViable.class, () -> container.attach(group));
        assertEquals(
            List.of(group.functions().getFirst().toString(), "domain guest"),
            e.refusal().objects().subList(1, 3));
      }
      assertTrue(group.viability().isViable());
      container.attach(group);
      assertTrue(group.viability().isViable());
    }
  }

  @Test
  @DisplayName(
      "a program on the user's API and an assignment share a host: what one collects reaches the other")
  void twoWhoCollect() {
    Host host = host("arm64-its-acpi-switch-sriov");
    Sbdf user = Sbdf.parse("01:00.0");
    EventCounter first = new EventCounter();
    try (Vfio vfio = HostVfio.open(host);
        Container container = vfio.open(ContainerOptions.USUAL)) {
      container.attach(vfio.group(user));
      try (Device device = vfio.group(user).open(user);
          Assignment a =
              Assignment.of(
                  host, List.of(Sbdf.parse("04:00.0")), request(Granule.K4, WINDOW, false))) {
        device.config().write(4, 6, 2);
        device.enable(IrqType.MSIX, 1, List.of(first));
        assertEquals(Firing.SENT, host.machine().fire(user, 0));
        HostFunction f = a.functions().getFirst();
        assertTrue(a.fire(f, a.vectors(f).getFirst()).delivered());
        assertEquals(1, first.take(), "collected by the assignment");
        var unused = host.machine().fire(user, 0);
        vfio.deliver();
        assertEquals(1, first.take(), "collected by the user's API");
      }
    }
  }
}
