package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PaprBridge;
import dev.doorbell.description.PaprExploitation;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.PaprTrees;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Assignment in a guest of a hypervisor (PAPR)")
class PaprAssignmentTest {
  private static final Sbdf FIRST = Sbdf.parse("0000:00:01.0");
  private static final Sbdf SECOND = Sbdf.parse("0001:00:01.0");

  @TempDir Path folder;

  private MachineDescription machine(int quota) {
    MachineDescription m = PaprTrees.read(folder, 2, quota);
    return new WhatIf(SECOND, 8, 0, true).addTo(new WhatIf(FIRST, 8, 0, true).addTo(m));
  }

  private static Assignment assign(
      Host host, Granule granule, int min, int max, Sbdf... functions) {
    return Assignment.of(
        host,
        List.of(functions),
        new Assignment.Request(granule, Optional.empty(), min, max, false));
  }

  private static void everyVectorArrives(Assignment a) {
    for (HostFunction f : a.functions()) {
      for (LiveVector v : a.vectors(f)) {
        assertEquals(0x400_0000_0000L, v.message().address());
        assertEquals(v.intid(), v.message().data());
        assertTrue(a.fire(f, v).delivered(), () -> f.sbdf() + " vector " + v.index());
      }
    }
  }

  @Test
  @DisplayName("the tree's bridges: BUID, processors, windows")
  void bridges() {
    List<PaprBridge> bridges = PaprBridge.of(machine(64));
    assertEquals(2, bridges.size());
    assertEquals(0x800_0000_2000_0001L, bridges.get(1).buid());
    assertEquals(List.of(0L, 1L, 8L, 9L), bridges.get(1).servers());
    assertEquals(0x8000_0100L, bridges.get(1).windows().getFirst().liobn());
  }

  @Test
  @DisplayName(
      "two functions of two PEs in one domain: every vector arrives; afterwards nothing is left")
  void twoFunctions() {
    Host host = Host.start(EmbeddedMachine.of(machine(64)));
    long before = host.machine().frames().bytesInUse();
    for (Granule granule : List.of(Granule.K4, Granule.K64)) {
      try (Assignment a = assign(host, granule, 8, 8, FIRST, SECOND)) {
        everyVectorArrives(a);
        a.functions().getFirst().vectors().orElseThrow().retarget(3, 2);
        everyVectorArrives(a);
      }
      assertEquals(before, host.machine().frames().bytesInUse());
    }
  }

  @Test
  @DisplayName(
      "ibm,pe-total-#msi: fewer than asked for, down to the minimum; below it a refusal with both figures")
  void quota() {
    Host host = Host.start(EmbeddedMachine.of(machine(5)));
    try (Assignment a = assign(host, Granule.K4, 2, 8, FIRST)) {
      assertEquals(5, a.vectors(a.functions().getFirst()).size());
      everyVectorArrives(a);
    }
    VectorsExhausted e =
        assertThrows(VectorsExhausted.class, () -> assign(host, Granule.K4, 6, 8, FIRST));
    assertEquals(6, e.refusal().needed().orElseThrow().value());
    assertEquals(5, e.refusal().available().orElseThrow().value());
    assertTrue(e.refusal().source().toString().contains("ibm,pe-total-#msi"));
  }

  @Test
  @DisplayName(
      "a derived trace follows a message to the processor that ibm,get-xive tells of, and says what cannot be seen")
  void traced() {
    Host host = Host.start(EmbeddedMachine.of(machine(64)));
    try (Assignment a = assign(host, Granule.K4, 8, 8, FIRST)) {
      HostFunction f = a.functions().getFirst();
      f.vectors().orElseThrow().retarget(3, 2);
      LiveVector v = a.vectors(f).get(3);
      Route r = new RouteWalker(host.survey(), new LiveState(host, a.functions())).walk(FIRST, 3);
      assertTrue(r.delivered(), r.stoppedAt().orElse(""));
      assertEquals(v.intid(), r.interrupt().orElseThrow().intid());
      assertEquals(2, r.interrupt().orElseThrow().cpu().orElseThrow());
      assertEquals(Optional.of(true), r.enabled());
      assertEquals("interrupt server 0x8", r.hops().getLast().at());
      assertTrue(r.hops().stream().anyMatch(h -> h.why().contains("cannot be seen")));
    }
  }

  @Test
  @DisplayName(
      "a guest that manages its interrupts itself: the tree tells so, every vector arrives, and a derived trace tells of its queue")
  void exploited() {
    MachineDescription m = new WhatIf(FIRST, 8, 0, true).addTo(PaprTrees.exploiting(folder, 2, 64));
    PaprExploitation x = PaprBridge.of(m).getFirst().messages().exploitation().orElseThrow();
    assertEquals(0x6_0302_031a_0000L, x.context().start());
    assertEquals(16, x.queueShift());
    assertEquals(6, x.priority());
    Host host = Host.start(EmbeddedMachine.of(m));
    try (Assignment a = assign(host, Granule.K4, 8, 8, FIRST)) {
      everyVectorArrives(a);
      HostFunction f = a.functions().getFirst();
      f.vectors().orElseThrow().retarget(3, 2);
      everyVectorArrives(a);
      RouteWalker walker = new RouteWalker(host.survey(), new LiveState(host, a.functions()));
      Route r = walker.walk(FIRST, 3);
      assertTrue(r.delivered(), r.stoppedAt().orElse(""));
      assertEquals(2, r.interrupt().orElseThrow().cpu().orElseThrow());
      assertTrue(r.hops().getLast().why().contains("event queue"), r.hops().getLast().why());
      assertTrue(
          r.hops().stream().anyMatch(h -> h.out().endsWith("priority 0x6, PQ 0")),
          () -> r.hops().toString());
    }
  }

  @Test
  @DisplayName("the captured guest: what its kernel had can be assigned, every vector arrives")
  void captured() {
    Host host =
        Host.start(
            EmbeddedMachine.of(
                Firmware.read(Sysroot.open(Shared.require("lab-captures/ppc64le-pseries")))));
    int vectors = 0;
    for (Sbdf f : List.of(Sbdf.parse("0001:00:00.0"), Sbdf.parse("0002:00:00.0"))) {
      try (Assignment a = assign(host, Granule.K4, 1, 2048, f)) {
        everyVectorArrives(a);
        vectors += a.vectors(a.functions().getFirst()).size();
      }
    }
    assertEquals(14, vectors, "ibm,req#msi-x: 5 and 9");
  }

  @Test
  @DisplayName(
      "lab-notes 7: address, datum and number are those that Linux programmed in the captured guest, function after function")
  void asLinuxProgrammed() throws IOException {
    Path capture = Shared.require("lab-captures/ppc64le-pseries");
    Host host = Host.start(EmbeddedMachine.of(Firmware.read(Sysroot.open(capture))));
    Json.Node truth = Json.parse(Files.readString(capture.resolve("oracle/truth.json")));
    Map<Sbdf, List<Json.Node>> wanted = new LinkedHashMap<>();
    for (Json.Node n : truth.get("vectors").list()) {
      wanted.computeIfAbsent(Sbdf.parse(n.get("bdf").text()), _ -> new ArrayList<>()).add(n);
    }
    int compared = 0;
    List<Assignment> open = new ArrayList<>();
    for (Map.Entry<Sbdf, List<Json.Node>> e : wanted.entrySet()) {
      int count = e.getValue().size();
      Assignment a = assign(host, Granule.K4, 1, count, e.getKey());
      open.add(a);
      List<LiveVector> vectors = a.vectors(a.functions().getFirst());
      for (Json.Node n : e.getValue()) {
        LiveVector v = vectors.get((int) n.get("vector").number());
        assertEquals(n.get("addr").number(), v.message().address());
        assertEquals(n.get("data").number(), v.message().data());
        assertEquals(n.get("data").number(), v.intid());
        compared++;
      }
    }
    open.forEach(Assignment::close);
    assertEquals(15, compared);
  }
}
