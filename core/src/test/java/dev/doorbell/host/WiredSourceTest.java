package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.aplic.AplicModel;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("wires of APLICs on captured RISC-V machines")
class WiredSourceTest {
  private static MachineDescription machine(String capture) {
    return Firmware.read(Sysroot.open(Shared.require(capture)));
  }

  private static Route walk(Host host, int aplic, int source) {
    return new RouteWalker(host.survey(), new LiveState(host, List.of())).walkSource(aplic, source);
  }

  private static List<List<Integer>> arrived(Host host) {
    List<List<Integer>> out = new ArrayList<>();
    host.msiControllers().forEach(c -> c.collect((number, cpu) -> out.add(List.of(number, cpu))));
    return out;
  }

  @ParameterizedTest
  @DisplayName("every APLIC's wires arrive as the walker says, and the vector goes back")
  @CsvSource({
    "captures/riscv64/qemu-virt-iommu-sys, 1, 96",
    "captures/riscv64/qemu-virt-iommu-pci, 2, 96",
    "captures/riscv64/qemu-virt-acpi-imsic, 1, 96",
    "captures/riscv64/dt-k3-pico-itx, 1, 512",
    "lab-captures/riscv64-iommu-native, 1, 96"
  })
  void captured(String capture, int aplics, int sources) {
    MachineDescription machine = machine(capture);
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    Host host = Host.start(hardware);
    Imsic imsic = machine.imsic().orElseThrow();
    assertEquals(aplics, imsic.aplics().size());
    int free = host.msiController(imsic.id()).orElseThrow().vectorsFree();
    for (AplicDescription a : imsic.aplics()) {
      assertEquals(sources, a.sources());
      AplicModel model = hardware.aplic(a.number()).orElseThrow();
      for (int source : new int[] {1, 10, a.sources()}) {
        try (WiredPin wired = WiredPin.ofAplic(host, a.number(), source)) {
          Route route = walk(host, a.number(), source);
          assertTrue(route.delivered(), route::toString);
          assertEquals(0, route.interrupt().orElseThrow().cpu().orElseThrow());
          assertEquals(imsic.files().getFirst().page().start(), route.doorbell().orElseThrow());
          boolean low = a.signal(source).low();
          model.drive(source, !low);
          assertEquals(List.of(List.of(wired.vector(), 0)), arrived(host), route::toString);
          model.drive(source, low);
          assertEquals(List.of(), arrived(host));
        }
        Route after = walk(host, a.number(), source);
        assertFalse(after.delivered(), after::toString);
      }
    }
    assertEquals(free, host.msiController(imsic.id()).orElseThrow().vectorsFree());
  }

  @Test
  @DisplayName("AIA 4.9.1: harts of two groups have the indices that their files' addresses tell")
  void groups() {
    Imsic imsic = machine("captures/riscv64/qemu-virt-iommu-pci").imsic().orElseThrow();
    for (Imsic.File f : imsic.files()) {
      int index = AplicDescription.hartIndex(imsic, f.cpu());
      assertEquals(f.cpu(), index, f::toString);
      assertEquals(f.page().start() + 0x3000, AplicDescription.page(imsic, index, 3).orElseThrow());
      assertTrue(AplicDescription.page(imsic, index, 4).isEmpty(), "three guests at most");
    }
    assertTrue(AplicDescription.page(imsic, 8, 0).isEmpty());
  }

  @Test
  @DisplayName("a wire of a hart in the second group arrives there, also after it moved")
  void secondGroup() {
    MachineDescription machine = machine("captures/riscv64/qemu-virt-iommu-pci");
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    Host host = Host.start(hardware);
    var source = host.aplic(1).connect(7, dev.doorbell.irq.Signal.RISING, 6);
    AplicModel model = hardware.aplic(1).orElseThrow();
    model.drive(7, true);
    assertEquals(List.of(List.of(source.vector(), 6)), arrived(host));
    source.retarget(2);
    model.drive(7, false);
    model.drive(7, true);
    assertEquals(List.of(List.of(source.vector(), 2)), arrived(host));
    assertEquals(0x2800_8000L, walk(host, 1, 7).doorbell().orElseThrow());
  }

  @Test
  @DisplayName("what is not there is refused, and an APLIC of machine level is none of ours")
  void refused() {
    MachineDescription machine = machine("captures/riscv64/qemu-virt-iommu-sys");
    Host host = Host.start(EmbeddedMachine.of(machine));
    assertThrows(NotAssignable.class, () -> WiredPin.ofAplic(host, 1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> WiredPin.ofAplic(host, 0, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> WiredPin.ofAplic(host, 0, 97));
    assertThrows(IllegalArgumentException.class, () -> walk(host, 1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> walk(host, 0, 97));
    assertEquals(
        0xd00_0000L, machine.imsic().orElseThrow().aplics().getFirst().registers().start());
  }
}
