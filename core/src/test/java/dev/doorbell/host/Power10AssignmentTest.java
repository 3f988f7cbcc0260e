package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.firmware.SkibootTrees;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Assignment on POWER10, as skiboot describes it: PHB5 and XIVE2")
class Power10AssignmentTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0001:00:01.0");

  @TempDir Path folder;

  private MachineDescription machine() {
    return new WhatIf(FUNCTION, 32, 4, false).addTo(SkibootTrees.read("powernv10", folder));
  }

  @Test
  @DisplayName(
      "skiboot hw/phys-map.c, POWER10: the controller's window lies 0x3180000 before the TIMA")
  void window() {
    List<PowerBridge> bridges = PowerBridge.of(machine());
    assertEquals(6, bridges.size());
    for (PowerBridge b : bridges) {
      assertTrue(b.isPower10());
      assertEquals(AddressRange.ofSize(0x6_0302_0000_0000L, 0x200_0000), b.controller());
    }
    assertEquals(512, bridges.getFirst().pes());
  }

  @Test
  @DisplayName(
      "every vector arrives, moves and is traced through EAT, ENDT and NVPT; afterwards nothing is left")
  void everyVector() {
    Host host = Host.start(EmbeddedMachine.of(machine()));
    long before = host.machine().frames().bytesInUse();
    try (Assignment a =
        Assignment.of(
            host,
            List.of(FUNCTION),
            new Assignment.Request(Granule.K64, Optional.empty(), 1, 2048, false))) {
      HostFunction f = a.functions().getFirst();
      assertEquals(32, a.vectors(f).size());
      assertEquals(2, a.vectors(f).stream().map(LiveVector::cpu).distinct().count());
      for (LiveVector v : a.vectors(f)) {
        traced(host, a, f, v);
      }
      f.vectors().orElseThrow().retarget(3, 1);
      traced(host, a, f, a.vectors(f).get(3));
      f.vectors().orElseThrow().retarget(3, 0);
      traced(host, a, f, a.vectors(f).get(3));
    }
    assertEquals(before, host.machine().frames().bytesInUse());
  }

  private static void traced(Host host, Assignment a, HostFunction f, LiveVector v) {
    assertTrue(a.fire(f, v).delivered());
    Route r =
        new RouteWalker(host.survey(), new LiveState(host, a.functions()))
            .walk(FUNCTION, v.index());
    assertTrue(r.delivered(), r.stoppedAt().orElse(""));
    assertEquals(v.intid(), r.interrupt().orElseThrow().intid());
    assertEquals(v.cpu(), r.interrupt().orElseThrow().cpu().orElseThrow());
    assertEquals(v.message().address(), r.doorbell().orElseThrow());
  }
}
