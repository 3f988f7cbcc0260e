package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.RegionInfo;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.Vfio;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VirtualFunctionBarTest {
  private static final Sbdf VF = Sbdf.parse("01:10.0");
  private static final int BAR0 = 0x10;
  private static final int TYPE_64_PREFETCHABLE = 0xc;

  @Test
  @DisplayName(
      "PCIe 9.3.4.1.11: a VF's registers read as zero; its user finds the 64-bit BAR of the PF's SR-IOV capability, and its size")
  void typeOfThePhysicalFunctionsCapability() {
    Path root = ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
    try (Machine machine = EmbeddedMachine.of(Firmware.read(Sysroot.open(root)));
        Vfio vfio = HostVfio.open(Host.start(machine));
        Container container = vfio.open(ContainerOptions.USUAL)) {
      container.attach(vfio.group(VF));
      assertEquals(0, machine.config(VF).read32(BAR0), "hardware's");
      try (Device device = vfio.group(VF).open(VF)) {
        ConfigSpace c = device.config();
        assertEquals(TYPE_64_PREFETCHABLE, c.read32(BAR0));
        c.write(BAR0, -1, Integer.BYTES);
        c.write(BAR0 + Integer.BYTES, -1, Integer.BYTES);
        long sized =
            Integer.toUnsignedLong(c.read32(BAR0))
                | (long) c.read32(BAR0 + Integer.BYTES) << Integer.SIZE;
        RegionInfo region =
            device.regions().stream()
                .filter(r -> r.type() == RegionType.BAR0)
                .findFirst()
                .orElseThrow();
        assertEquals(-region.bytes() | TYPE_64_PREFETCHABLE, sized);
        assertEquals(0, c.read32(BAR0 + 2 * Integer.BYTES), "no BAR there");
      }
    }
  }
}
