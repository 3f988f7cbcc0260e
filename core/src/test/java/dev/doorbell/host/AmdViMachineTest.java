package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The main job on captured machines with AMD IOMMUs.
class AmdViMachineTest {
  private static final Assignment.Request REQUEST =
      new Assignment.Request(Granule.K4, Optional.empty(), 1, 64, false);

  private static final Sbdf WHAT_IF = Sbdf.parse("0000:01:00.0");

  private static MachineDescription captured(String name) {
    return Firmware.read(Sysroot.open(Shared.require(name)));
  }

  /// {@return the machine with processors of other APIC ids}
  private static MachineDescription withCpus(MachineDescription m, long... ids) {
    Source source = Source.rule("test");
    ApicDescription apic = m.apic().orElseThrow();
    List<ApicDescription.Cpu> cpus =
        IntStream.range(0, ids.length)
            .mapToObj(i -> new ApicDescription.Cpu(i, ids[i], source))
            .toList();
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        Optional.of(
            new ApicDescription(cpus, apic.ioApics(), apic.lines(), apic.hpets(), apic.source())),
        m.hostBridges(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  /// Assigns a function, fires its vectors at each of some processors, and gives everything back.
  private static List<Route> assign(Host host, Sbdf function, int cpus) {
    List<Route> routes = new ArrayList<>();
    long before = host.machine().frames().bytesInUse();
    try (Assignment a = Assignment.of(host, List.of(function), REQUEST)) {
      HostFunction f = a.functions().getFirst();
      MsiFunction msi = f.vectors().orElseThrow();
      for (int round = 0; round < cpus; round++) {
        for (LiveVector v : a.vectors(f)) {
          Assignment.Fired fired = a.fire(f, v);
          assertTrue(fired.delivered(), fired::toString);
          Route route =
              new RouteWalker(host.survey(), new LiveState(host, List.of(f)))
                  .walk(function, v.index());
          assertTrue(route.delivered(), route::toString);
          assertEquals(v.intid(), route.interrupt().orElseThrow().intid());
          routes.add(route);
          msi.retarget(v.index(), (v.cpu() + 1) % cpus);
        }
      }
    }
    assertEquals(before, host.machine().frames().bytesInUse(), "memory of " + function);
    return routes;
  }

  @ParameterizedTest
  @DisplayName(
      "Every function's vectors arrive, wherever they are moved, and the walker follows each")
  @ValueSource(strings = {"lab-captures/x86-amdvi", "captures/x86/msi-ms7721"})
  void everyFunction(String name) {
    MachineDescription machine = captured(name);
    Host host = Host.start(EmbeddedMachine.of(machine));
    int done = 0;
    for (var f : machine.functions()) {
      HostFunction known;
      try {
        known = host.function(f.sbdf());
      } catch (NotAssignable bridgeOrOutside) {
        continue;
      }
      if (known.vectors().isPresent() && host.group(f.sbdf()).isPresent()) {
        assign(host, f.sbdf(), machine.cpus());
        done++;
      }
    }
    assertTrue(done >= 3, done + " functions");
  }

  @Test
  @DisplayName(
      "48882 2.2.5.2: processors with ids above 254 are reached through entries of 128 bits")
  void wideIds() {
    MachineDescription machine = withCpus(captured("lab-captures/x86-amdvi"), 0x7, 0x1ff, 0x12345);
    Host host = Host.start(EmbeddedMachine.of(machine));
    List<Route> routes = assign(host, Sbdf.parse("0000:00:05.0"), 3);
    assertTrue(
        routes.stream()
            .flatMap(r -> r.hops().stream())
            .anyMatch(h -> h.out().contains("destination 0x12345")),
        routes::toString);
  }

  private static MachineDescription tablesOnly(Optional<InterruptRemapping.State> state) {
    MachineDescription m = captured("captures/x86/amd-x399-prime");
    MachineDescription changed =
        new MachineDescription(
            m.arch(),
            m.firmware(),
            m.iommus().stream().map(i -> state.map(s -> with(i, s)).orElse(i)).toList(),
            m.msiControllers(),
            m.gic(),
            m.apic(),
            m.hostBridges(),
            m.functions(),
            m.memory(),
            m.reserved(),
            m.recorded(),
            m.oddities(),
            m.unseen());
    return new WhatIf(WHAT_IF, 4, 0, true).addTo(changed);
  }

  private static IommuDescription with(IommuDescription i, InterruptRemapping.State state) {
    return i instanceof IommuDescription.AmdVi a
        ? new IommuDescription.AmdVi(
            a.id(),
            a.window(),
            a.function(),
            new InterruptRemapping(state, "the test says so", Source.rule("test")),
            a.abilities(),
            a.structures(),
            a.source())
        : i;
  }

  @Test
  @DisplayName("A capture of tables alone tells nothing against remapping: messages are remapped")
  void tablesAlone() {
    Host host = Host.start(EmbeddedMachine.of(tablesOnly(Optional.empty())));
    List<Route> routes = assign(host, WHAT_IF, 2);
    assertTrue(
        routes.stream().allMatch(r -> r.hops().stream().anyMatch(h -> h.at().startsWith("IRTE"))),
        routes::toString);
  }

  @Test
  @DisplayName("Where remapping is off a function is refused as not isolated, or its messages pass")
  void withoutRemapping() {
    Host host =
        Host.start(EmbeddedMachine.of(tablesOnly(Optional.of(InterruptRemapping.State.OFF))));
    assertThrows(NotIsolated.class, () -> Assignment.of(host, List.of(WHAT_IF), REQUEST));
    Assignment.Request unsafe = new Assignment.Request(Granule.K4, Optional.empty(), 1, 4, true);
    try (Assignment a = Assignment.of(host, List.of(WHAT_IF), unsafe)) {
      HostFunction f = a.functions().getFirst();
      for (LiveVector v : a.vectors(f)) {
        assertTrue(a.fire(f, v).delivered());
      }
    }
  }
}
