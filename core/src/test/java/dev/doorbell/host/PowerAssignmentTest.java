package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.phb.PeStop;
import dev.doorbell.hw.phb.Phb4Driver;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Assignment on POWER9: host bridges with PEs, TCEs and owners of interrupts")
class PowerAssignmentTest {
  private static final Sbdf FIRST = Sbdf.parse("0001:01:00.0");
  private static final Sbdf SECOND = Sbdf.parse("0002:01:00.0");

  private static MachineDescription machine(String capture) {
    return Firmware.read(Sysroot.open(Shared.require(capture)));
  }

  private static Assignment.Request request() {
    return new Assignment.Request(Granule.K4, Optional.empty(), 1, 2048, false);
  }

  @ParameterizedTest
  @CsvSource({
    "lab-captures/ppc64le-powernv9,0001:01:00.0",
    "lab-captures/ppc64le-powernv9,0002:01:00.0",
    "captures/ppc64le/talos2-power9,0004:01:00.0",
    "captures/ppc64le/talos2-power9,0003:01:00.0"
  })
  @DisplayName("every vector arrives, its route says so, and afterwards nothing is left")
  void everyVector(String capture, String function) {
    Sbdf sbdf = Sbdf.parse(function);
    Host host = Host.start(EmbeddedMachine.of(machine(capture)));
    long before = host.machine().frames().bytesInUse();
    try (Assignment a = Assignment.of(host, List.of(sbdf), request())) {
      HostFunction f = a.functions().getFirst();
      assertFalse(a.vectors(f).isEmpty());
      for (LiveVector v : a.vectors(f)) {
        assertTrue(a.fire(f, v).delivered());
        Route r =
            new RouteWalker(host.survey(), new LiveState(host, a.functions()))
                .walk(sbdf, v.index());
        assertTrue(r.delivered(), r.stoppedAt().orElse(""));
        assertEquals(v.intid(), r.interrupt().orElseThrow().intid());
        assertEquals(v.cpu(), r.interrupt().orElseThrow().cpu().orElseThrow());
        assertEquals(v.message().address(), r.doorbell().orElseThrow());
      }
    }
    assertEquals(before, host.machine().frames().bytesInUse());
  }

  @Test
  @DisplayName("lab-notes 7: address and datum are those that Linux programmed on the same machine")
  void asLinuxProgrammed() throws IOException {
    Host host = Host.start(EmbeddedMachine.of(machine("lab-captures/ppc64le-powernv9")));
    String truth =
        Files.readString(Shared.require("lab-captures/ppc64le-powernv9/oracle/truth.json"));
    int compared = 0;
    for (Sbdf sbdf : List.of(FIRST, SECOND)) {
      try (Assignment a = Assignment.of(host, List.of(sbdf), request())) {
        for (LiveVector v : a.vectors(a.functions().getFirst())) {
          for (Json.Node n : Json.parse(truth).get("vectors").list()) {
            if (n.get("bdf").text().equals(sbdf.toString())
                && n.get("vector").number() == v.index()) {
              assertEquals(n.get("addr").number(), v.message().address());
              assertEquals(n.get("data").number(), v.message().data());
              compared++;
            }
          }
        }
      }
    }
    assertEquals(10, compared);
  }

  @Test
  @DisplayName(
      "design 5: a message of another function's interrupt raises nothing and stops the PE of whoever sent it, and only that")
  void forged() {
    Sbdf guest = Sbdf.parse("0004:01:00.0");
    Sbdf other = Sbdf.parse("0004:01:00.1");
    MachineDescription m = machine("captures/ppc64le/talos2-power9");
    EmbeddedMachine machine = EmbeddedMachine.of(m);
    Host host = Host.start(machine);
    Phb4Driver phb = (Phb4Driver) host.iommu("phb4@pci0004:00").orElseThrow();
    Domain domain = Domain.create("guest", DomainPolicy.TRUSTED_USER, phb, Granule.K4);
    domain.attach(host.group(guest).orElseThrow());
    HostFunction victim = host.function(guest);
    victim.turnOn();
    host.function(other).turnOn();
    MsiFunction vectors = victim.vectors().orElseThrow();
    vectors.enable(1, 1);
    LiveVector v = vectors.vectors().getFirst();
    int rid = other.requesterId();
    assertEquals(BusOutcome.ERROR, write(machine, other, v));
    PeStop stop = phb.stopped(rid).orElseThrow();
    assertEquals(OptionalInt.of(rid), stop.requesterId());
    assertTrue(stop.cause().contains("MSI"), stop.cause());
    assertEquals(0, host.poll(), "nobody was interrupted");
    assertTrue(phb.stopped(guest.requesterId()).isEmpty());
    machine.fire(guest, 0);
    assertEquals(1, host.poll(), "the owner goes on");
    phb.thaw(rid);
    assertTrue(phb.stopped(rid).isEmpty());
  }

  private static BusOutcome write(EmbeddedMachine machine, Sbdf from, LiveVector v) {
    return machine
        .endpoint(from)
        .orElseThrow()
        .dmaWrite(v.message().address(), Integer.toUnsignedLong(v.message().data()), 4);
  }

  @Test
  @DisplayName("functions of two bridges have one requester id, and domains of their own")
  void sameRequesterId() {
    Host host = Host.start(EmbeddedMachine.of(machine("lab-captures/ppc64le-powernv9")));
    try (Assignment a = Assignment.of(host, List.of(FIRST), request());
        Assignment b = Assignment.of(host, List.of(SECOND), request())) {
      for (Assignment x : List.of(a, b)) {
        HostFunction f = x.functions().getFirst();
        assertTrue(x.fire(f, x.vectors(f).getFirst()).delivered());
      }
    }
  }

  @Test
  @DisplayName("vectors are spread over the threads that the tree names, and move")
  void threads() {
    Sbdf sbdf = Sbdf.parse("0004:01:00.0");
    EmbeddedMachine machine = EmbeddedMachine.of(machine("captures/ppc64le/talos2-power9"));
    Host host = Host.start(machine);
    assertEquals(16, machine.description().cpus());
    try (Assignment a = Assignment.of(host, List.of(sbdf), request())) {
      HostFunction f = a.functions().getFirst();
      assertEquals(16, a.vectors(f).stream().map(LiveVector::cpu).distinct().count());
      for (LiveVector v : a.vectors(f)) {
        assertTrue(a.fire(f, v).delivered());
      }
      f.vectors().orElseThrow().retarget(0, 15);
      LiveVector moved = a.vectors(f).getFirst();
      assertEquals(15, moved.cpu());
      assertTrue(a.fire(f, moved).delivered());
    }
  }

  @Test
  @DisplayName("a function whose messages have 32 bits of address gets those below 4 GiB")
  void narrow() {
    Sbdf sbdf = Sbdf.parse("0000:00:01.0");
    MachineDescription m =
        new WhatIf(sbdf, 0, 4, false).addTo(machine("captures/ppc64le/talos2-power9"));
    Host host = Host.start(EmbeddedMachine.of(m));
    try (Assignment a = Assignment.of(host, List.of(sbdf), request())) {
      HostFunction f = a.functions().getFirst();
      assertEquals(4, a.vectors(f).size());
      for (LiveVector v : a.vectors(f)) {
        assertEquals(0xffff_0000L, v.message().address());
        assertTrue(a.fire(f, v).delivered());
        Route r =
            new RouteWalker(host.survey(), new LiveState(host, a.functions()))
                .walk(sbdf, v.index());
        assertTrue(r.delivered(), r.stoppedAt().orElse(""));
      }
    }
  }
}
