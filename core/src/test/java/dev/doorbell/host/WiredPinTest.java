package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.THEM;
import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.ioapic.IoapicDriver;
import dev.doorbell.hw.ioapic.IoapicModel;
import dev.doorbell.hw.lapic.LapicDriver;
import dev.doorbell.hw.lapic.LapicHardware;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.Signal;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Pins of I/O APICs, through whatever remaps their messages.
class WiredPinTest {
  private final VtdBench bench = new VtdBench(List.of(0L, 2L, 4L, 6L));

  private IoapicModel ioApic(int sourceId) {
    return new IoapicModel(
        24, (address, data) -> bench.ring(sourceId, address, data) == BusOutcome.OK);
  }

  private IoapicDriver driver(IoapicModel model) {
    return IoapicDriver.open("ioapic:2", new ModelRegisters(model), bench.controller, US);
  }

  private static void pulse(IoapicModel model, int pin) {
    model.drive(pin, true);
    model.drive(pin, false);
  }

  @Test
  @DisplayName(
      "VT-d 5.1.5.1: an edge arrives at its CPU, also after it moved, and not when it is masked or given back")
  void edge() {
    IoapicModel model = ioApic(US);
    IoapicDriver driver = driver(model);
    int free = bench.controller.vectorsFree();
    IoapicDriver.Pin pin = driver.connect(4, Signal.RISING, 1);
    pulse(model, 4);
    assertEquals(List.of(List.of(pin.vector(), 1)), bench.collect());
    pin.retarget(3);
    assertEquals(3, pin.cpu());
    pulse(model, 4);
    assertEquals(List.of(List.of(pin.vector(), 3)), bench.collect());
    pin.mask(true);
    pulse(model, 4);
    assertEquals(List.of(), bench.collect());
    pin.mask(false);
    pulse(model, 4);
    assertEquals(1, bench.collect().size());
    assertThrows(IllegalStateException.class, () -> driver.connect(4, Signal.RISING, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> driver.connect(24, Signal.RISING, 1));
    pin.disconnect();
    pulse(model, 4);
    assertEquals(List.of(), bench.collect());
    assertEquals(free, bench.controller.vectorsFree());
    assertThrows(IllegalStateException.class, pin::disconnect);
  }

  @Test
  @DisplayName("a masked pin stays masked when it is moved, also where its message names the CPU")
  void movedMasked() {
    List<Long> ids = List.of(0L, 2L);
    LapicModel cpus = new LapicModel(ids);
    MsiController plain =
        LapicDriver.open(
                new LapicHardware("lapic@0xfee00000", ids, Optional.of(cpus), Optional.of(cpus)))
            .unremapped();
    IoapicModel model =
        new IoapicModel(
            24,
            (address, data) -> cpus.write(address - 0xfee0_0000L, data, 4, US) == BusOutcome.OK);
    IoapicDriver.Pin pin =
        IoapicDriver.open("ioapic:2", new ModelRegisters(model), plain, US)
            .connect(4, Signal.RISING, 0);
    List<Integer> arrived = new ArrayList<>();
    pin.mask(true);
    pin.retarget(1);
    pulse(model, 4);
    plain.collect((_, cpu) -> arrived.add(cpu));
    assertEquals(List.of(), arrived);
    pin.mask(false);
    pulse(model, 4);
    plain.collect((_, cpu) -> arrived.add(cpu));
    assertEquals(List.of(1), arrived);
  }

  @Test
  @DisplayName("a level arrives until it is served, and two pins answer apart")
  void level() {
    IoapicModel model = ioApic(US);
    IoapicDriver driver = driver(model);
    IoapicDriver.Pin high = driver.connect(9, Signal.HIGH, 0);
    IoapicDriver.Pin low = driver.connect(16, Signal.LOW, 2);
    // The line of a pin that is active low was low all the time.
    assertEquals(List.of(List.of(low.vector(), 2)), bench.collect());
    model.drive(9, true);
    assertEquals(List.of(List.of(high.vector(), 0)), bench.collect());
    high.served();
    assertEquals(List.of(List.of(high.vector(), 0)), bench.collect());
    model.drive(9, false);
    model.drive(16, true);
    high.served();
    low.served();
    assertEquals(List.of(), bench.collect());
    model.drive(16, false);
    assertEquals(List.of(List.of(low.vector(), 2)), bench.collect());
  }

  @Test
  @DisplayName("VT-d 5.1.4: another source-id than the pin's entries verify raises nothing")
  void foreign() {
    IoapicModel ours = ioApic(US);
    driver(ours).connect(4, Signal.RISING, 1);
    IoapicModel theirs = ioApic(THEM);
    IoapicDriver forged = driver(theirs);
    forged.connect(4, Signal.RISING, 1);
    bench.faults();
    pulse(theirs, 4);
    assertEquals(List.of(), bench.collect());
    assertEquals(List.of(0x26), bench.faults());
  }

  @Test
  @DisplayName("a pin for which no vector is left stays masked and takes nothing")
  void exhausted() {
    IoapicModel model = ioApic(US);
    IoapicDriver driver = driver(model);
    var before = driver.entries();
    MsiController full = bench.controller;
    while (full.vectorsFree() > 0) {
      full.allocate(new dev.doorbell.irq.MsiSource("others", THEM), 1, false);
    }
    assertThrows(
        dev.doorbell.irq.VectorsExhausted.class, () -> driver.connect(4, Signal.RISING, 1));
    assertEquals(before, driver.entries());
  }

  @ParameterizedTest
  @DisplayName(
      "captured machines: every I/O APIC's pins arrive as the walker says, remapped (VT-d, AMD-Vi) or not")
  @ValueSource(
      strings = {
        "lab-captures/x86-amdvi",
        "lab-captures/x86-vtd-intremap",
        "lab-captures/x86-vtd-nointremap",
        "captures/x86/msi-ms7721",
        "captures/x86/huananzhi-x99-bd4"
      })
  void captured(String name) {
    MachineDescription machine = Firmware.read(Sysroot.open(Shared.require(name)));
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    Host host = Host.start(hardware);
    int done = 0;
    for (ApicDescription.IoApic a : machine.apic().orElseThrow().ioApics()) {
      for (int pin : new int[] {0, 4, 9, 23}) {
        IoapicModel model = hardware.ioApic(a.apicId()).orElseThrow();
        try (WiredPin wired = WiredPin.of(host, a.apicId(), pin)) {
          Route route =
              new RouteWalker(host.survey(), new LiveState(host, List.of()))
                  .walkPin(a.apicId(), pin);
          assertTrue(route.delivered(), route::toString);
          assertEquals(0, route.interrupt().orElseThrow().cpu().orElseThrow());
          List<List<Integer>> arrived = new ArrayList<>();
          pulse(model, pin);
          host.msiControllers()
              .forEach(c -> c.collect((number, cpu) -> arrived.add(List.of(number, cpu))));
          assertEquals(List.of(List.of(wired.vector(), 0)), arrived, route::toString);
          done++;
        }
      }
    }
    assertTrue(done > 0, "the machine has I/O APICs");
  }
}
