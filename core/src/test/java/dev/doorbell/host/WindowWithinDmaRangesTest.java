package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Refused;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.Protection;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.Vfio;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "R10, R12: where a root complex lets only some addresses through, window and mappings lie there")
class WindowWithinDmaRangesTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0000:04:00.0");
  private static final AddressRange LETS_THROUGH = AddressRange.ofSize(0x4000_0000L, 0x1_0000);

  @Test
  @DisplayName(
      "64 KiB are let through: the automatic window is smaller than the usual MiB, and vectors arrive")
  void automaticWindow() {
    try (Machine machine = EmbeddedMachine.of(narrowed());
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      var group = vfio.group(FUNCTION);
      container.attach(group);

      AddressRange window = container.msiWindow().orElseThrow();
      assertTrue(LETS_THROUGH.contains(window), window::toString);
      assertTrue(window.bytes() >= container.msiWindowNeed().bytes(), window::toString);
      try (var device = group.open(FUNCTION)) {
        assertEquals(1, device.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
      }
    }
  }

  @Test
  @DisplayName("a mapping outside is refused, naming what stands there")
  void mappingOutside() {
    try (Machine machine = EmbeddedMachine.of(narrowed());
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      container.attach(vfio.group(FUNCTION));
      DmaBuffer buffer = container.allocate(0x1000);

      RuntimeException e =
          assertThrows(
              RuntimeException.class,
              () -> container.map(new Iova(0x5000_0000L), buffer, Protection.READ_WRITE));
      assertTrue(e instanceof Refused, e::toString);
      assertTrue(String.valueOf(e.getMessage()).contains("0x40010000"), e::toString);
    }
  }

  private static MachineDescription narrowed() {
    MachineDescription m =
        Firmware.read(
            Sysroot.open(ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov")));
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges().stream().map(WindowWithinDmaRangesTest::narrowed).toList(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  private static HostBridge narrowed(HostBridge b) {
    return new HostBridge(
        b.id(),
        b.segment(),
        b.firstBus(),
        b.lastBus(),
        b.ecam(),
        b.streams(),
        b.msis(),
        b.windows(),
        List.of(LETS_THROUGH),
        b.dmaBits(),
        b.source());
  }
}
