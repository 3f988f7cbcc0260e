package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import dev.doorbell.description.Power8Bridge;
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

@DisplayName("Assignment on POWER8, as skiboot describes it: PHB3 and XICS")
class Power8AssignmentTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0001:00:01.0");

  @TempDir Path folder;

  private MachineDescription machine() {
    return new WhatIf(FUNCTION, 32, 4, false).addTo(SkibootTrees.read("powernv8", folder));
  }

  @Test
  @DisplayName(
      "the bridges' interrupts go to the servers that the tree has, in the order of threads")
  void servers() {
    List<Power8Bridge> bridges = Power8Bridge.of(machine());
    assertEquals(3, bridges.size());
    for (Power8Bridge b : bridges) {
      assertEquals(List.of(8L, 16L), b.servers().stream().map(PhbMsi.Server::number).toList());
      assertEquals(AddressRange.ofSize(0x3_ffff_8000_8000L, 0x1000), b.servers().getFirst().page());
    }
  }

  @Test
  @DisplayName(
      "every vector arrives, moves and is traced through the IVE; afterwards nothing is left")
  void everyVector() {
    Host host = Host.start(EmbeddedMachine.of(machine()));
    long before = host.machine().frames().bytesInUse();
    try (Assignment a =
        Assignment.of(
            host,
            List.of(FUNCTION),
            new Assignment.Request(Granule.K4, Optional.empty(), 1, 2048, false))) {
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

  @Test
  @DisplayName("a function whose messages have 32 bits of address gets those below 4 GiB")
  void narrow() {
    Sbdf sbdf = Sbdf.parse("0002:00:01.0");
    Host host = Host.start(EmbeddedMachine.of(new WhatIf(sbdf, 0, 4, false).addTo(machine())));
    try (Assignment a =
        Assignment.of(
            host,
            List.of(sbdf),
            new Assignment.Request(Granule.K4, Optional.empty(), 1, 2048, false))) {
      HostFunction f = a.functions().getFirst();
      assertEquals(4, a.vectors(f).size());
      for (LiveVector v : a.vectors(f)) {
        assertEquals(0xffff_0000L, v.message().address());
        assertTrue(a.fire(f, v).delivered());
      }
    }
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
