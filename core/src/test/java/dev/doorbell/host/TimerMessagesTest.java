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
import dev.doorbell.hw.hpet.HpetDriver;
import dev.doorbell.hw.hpet.HpetModel;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Messages of an HPET through interrupt remapping.
class TimerMessagesTest {
  private final VtdBench bench = new VtdBench(List.of(0L, 2L, 4L, 6L));

  private HpetModel timer(int sourceId) {
    return new HpetModel(
        3, (address, data) -> bench.ring(sourceId, address, data) == BusOutcome.OK);
  }

  private HpetDriver driver(HpetModel model) {
    return HpetDriver.open("hpet:0", new ModelRegisters(model), bench.controller, US);
  }

  @Test
  @DisplayName(
      "a timer's message goes through its IRTE to its CPU, also after it moved, and not when it is given back")
  void remapped() {
    HpetModel model = timer(US);
    HpetDriver driver = driver(model);
    int free = bench.controller.vectorsFree();
    HpetDriver.Timer timer = driver.connect(1, 2);
    timer.at(driver.counter() + 10);
    model.advance(10);
    assertEquals(List.of(List.of(timer.vector(), 2)), bench.collect());
    timer.retarget(3);
    timer.at(driver.counter() + 10);
    model.advance(10);
    assertEquals(List.of(List.of(timer.vector(), 3)), bench.collect());
    assertThrows(IllegalStateException.class, () -> driver.connect(1, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> driver.connect(3, 0));
    timer.at(driver.counter() + 10);
    timer.disconnect();
    model.advance(10);
    assertEquals(List.of(), bench.collect());
    assertEquals(free, bench.controller.vectorsFree());
  }

  @Test
  @DisplayName("another source-id than the timer's raises nothing")
  void foreign() {
    HpetModel theirs = timer(THEM);
    HpetDriver driver = driver(theirs);
    HpetDriver.Timer forged = driver.connect(0, 0);
    forged.at(driver.counter() + 1);
    theirs.advance(1);
    assertEquals(List.of(), bench.collect());
    assertEquals(List.of(0x26), bench.faults());
  }

  @ParameterizedTest
  @DisplayName(
      "captured machines: every timer of the HPET that firmware describes arrives as the walker says, remapped or not")
  @ValueSource(
      strings = {
        "lab-captures/x86-vtd-nointremap",
        "captures/x86/amd-x370-killer",
        "captures/x86/huananzhi-x99-bd4"
      })
  void captured(String name) {
    MachineDescription machine = Firmware.read(Sysroot.open(Shared.require(name)));
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    Host host = Host.start(hardware);
    ApicDescription.Hpet h = machine.apic().orElseThrow().hpets().getFirst();
    HpetModel model = hardware.hpet(h.number()).orElseThrow();
    for (int timer = 0; timer < h.timers().orElseThrow(); timer++) {
      try (WiredTimer wired = WiredTimer.of(host, h.number(), timer)) {
        Route route =
            new RouteWalker(host.survey(), new LiveState(host, List.of()))
                .walkTimer(h.number(), timer);
        assertTrue(route.delivered(), route::toString);
        wired.in(7);
        model.advance(6);
        assertEquals(List.of(), arrived(host));
        model.advance(1);
        assertEquals(List.of(List.of(wired.vector(), 0)), arrived(host), route::toString);
      }
    }
    assertThrows(IndexOutOfBoundsException.class, () -> WiredTimer.of(host, h.number(), 32));
    assertThrows(NotAssignable.class, () -> WiredTimer.of(host, 99, 0));
  }

  private static List<List<Integer>> arrived(Host host) {
    List<List<Integer>> out = new ArrayList<>();
    host.msiControllers().forEach(c -> c.collect((number, cpu) -> out.add(List.of(number, cpu))));
    return out;
  }

  @ParameterizedTest
  @DisplayName(
      "where interrupts are remapped and firmware names nobody who remaps a timer's, it is not driven")
  @ValueSource(strings = {"lab-captures/x86-vtd-intremap", "lab-captures/x86-amdvi"})
  void untold(String name) {
    MachineDescription machine = Firmware.read(Sysroot.open(Shared.require(name)));
    ApicDescription.Hpet h = machine.apic().orElseThrow().hpets().getFirst();
    assertTrue(h.iommu().isEmpty() && h.registers().isPresent(), h::toString);
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    assertTrue(hardware.hpet(h.number()).isEmpty());
    Host host = Host.start(hardware);
    NotAssignable no = assertThrows(NotAssignable.class, () -> WiredTimer.of(host, h.number(), 0));
    assertTrue(no.getMessage().contains("does not tell by whom"), no.getMessage());
  }
}
