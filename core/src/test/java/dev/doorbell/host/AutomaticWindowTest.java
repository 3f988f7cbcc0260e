package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoPlaceForWindow;
import dev.doorbell.vfio.Vfio;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the MSI window that a container places by itself")
class AutomaticWindowTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0000:04:00.0");

  @Test
  @DisplayName("R10: it lies in no host bridge's window, as seen from PCI, and vectors arrive")
  void clearOfPciWindows() throws InterruptedException {
    // The first place of choice, and the second but for its last MiB, which is too far up to be
    // lowest.
    List<AddressRange> windows =
        List.of(new AddressRange(0, 0x9fff_ffffL), AddressRange.ofSize(0xa00f_0000L, 0x1_0000));
    try (Machine machine = EmbeddedMachine.of(withWindows(windows));
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      Group group = vfio.group(FUNCTION);
      container.attach(group);
      AddressRange window = container.msiWindow().orElseThrow();
      windows.forEach(w -> assertFalse(w.overlaps(window), window::toString));
      EventCounter rung = new EventCounter();
      try (Device device = group.open(FUNCTION)) {
        device.busMaster(true);
        assertEquals(1, device.enable(IrqType.MSIX, 1, List.of(rung)));
        device.loopback(0);
        assertEquals(1, rung.await(vfio, Duration.ZERO));
      }
    }
  }

  @Test
  @DisplayName("R10: where PCI windows leave no room the group is not attached")
  void nothingClear() {
    try (Machine machine =
            EmbeddedMachine.of(withWindows(List.of(new AddressRange(0, 0xffff_ffffL))));
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      Group group = vfio.group(FUNCTION);
      assertThrows(NoPlaceForWindow.class, () -> container.attach(group));
      assertEquals(List.of(), container.groups());
      assertEquals(Optional.empty(), group.container());
    }
  }

  @Test
  @DisplayName(
      "R3: its size is for every doorbell of the machine, so that a group that comes later finds room")
  void roomForHotPlug() {
    try (Machine machine = EmbeddedMachine.of(sample("two-its"));
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      container.attach(vfio.group(Sbdf.parse("0000:01:00.0")));
      assertEquals(1, container.msiWindowNeed().pages());
      assertEquals(2, container.msiWindowBound().pages());
      assertEquals(2 * container.granule().bytes(), container.msiWindowBound().bytes());
      assertEquals(container.granule().shift(), container.msiWindowBound().alignmentOrder());
      AddressRange window = container.msiWindow().orElseThrow();
      assertTrue(window.bytes() >= container.msiWindowBound().bytes(), window::toString);
      container.attach(vfio.group(Sbdf.parse("0001:01:00.0")));
      assertEquals(2, container.msiWindowNeed().pages());
      for (String f : List.of("0000:01:00.0", "0001:01:00.0")) {
        Sbdf function = Sbdf.parse(f);
        try (Device device = vfio.group(function).open(function)) {
          assertEquals(1, device.enable(IrqType.MSIX, 1, List.of(new EventCounter())), f);
        }
      }
    }
  }

  private static MachineDescription sample(String name) {
    return Firmware.read(Sysroot.open(ProjectRoot.path().resolve("samples").resolve(name)));
  }

  /// The captured machine, whose host bridges have these PCI addresses in their windows as well, at CPU addresses that nobody has.
  private static MachineDescription withWindows(List<AddressRange> windows) {
    MachineDescription m = sample("arm64-its-acpi-switch-sriov");
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges().stream().map(b -> with(b, windows)).toList(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  private static HostBridge with(HostBridge b, List<AddressRange> more) {
    Source source = Source.rule("this test");
    Stream<HostBridge.Window> added =
        more.stream()
            .map(r ->
                new HostBridge.Window(
                    AddressRange.ofSize(0x70_0000_0000L + r.start(), r.bytes()),
                    r.start(),
                    false,
                    false,
                    source));
    return new HostBridge(
        b.id(),
        b.segment(),
        b.firstBus(),
        b.lastBus(),
        b.ecam(),
        b.streams(),
        b.msis(),
        Stream.concat(b.windows().stream(), added).toList(),
        b.dmaRanges(),
        b.dmaBits(),
        b.source());
  }
}
