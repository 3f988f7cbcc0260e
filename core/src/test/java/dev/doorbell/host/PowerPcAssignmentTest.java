package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subjects;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.MsiWindowNeed;
import dev.doorbell.vfio.Vfio;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The main job on QorIQ machines: a bank's page in a PAMU window.
@DisplayName("Assignment on machines with PAMU and MPIC")
class PowerPcAssignmentTest {
  private static final AddressRange WINDOW = AddressRange.ofSize(0x800_0000L, 0x1000);
  private static final Sbdf FIRST = Sbdf.parse("0000:01:00.0");
  private static final Sbdf SECOND = Sbdf.parse("0001:01:00.0");

  private static Host host(String capture) {
    MachineDescription m =
        Firmware.read(Sysroot.open(Shared.require("captures/powerpc/" + capture)));
    m = new WhatIf(FIRST, 8, 0, true).addTo(m);
    m = m.hostBridge(SECOND).isPresent() ? new WhatIf(SECOND, 0, 4, true).addTo(m) : m;
    return Host.start(EmbeddedMachine.of(m));
  }

  private static Assignment.Request request(AddressRange window, boolean unsafe) {
    return new Assignment.Request(Granule.K4, Optional.of(window), 1, 2048, unsafe);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cyrus-p5040",
        "dt-b4860qds",
        "dt-p2041rdb",
        "dt-p4080ds",
        "dt-p5020ds",
        "dt-t1042rdb",
        "dt-t4240rdb"
      })
  @DisplayName(
      "every vector arrives through the window, its route says so, and afterwards nothing is left")
  void everyVector(String capture) {
    Host host = host(capture);
    long before = host.machine().frames().bytesInUse();
    try (Assignment a = Assignment.of(host, List.of(FIRST), request(WINDOW, true))) {
      HostFunction f = a.functions().getFirst();
      assertEquals(8, a.vectors(f).size());
      for (LiveVector v : a.vectors(f)) {
        assertTrue(WINDOW.contains(v.message().address()));
        assertTrue(a.fire(f, v).delivered());
        Route r =
            new RouteWalker(host.survey(), new LiveState(host, a.functions()))
                .walk(FIRST, v.index());
        assertTrue(r.delivered(), r.stoppedAt().orElse(""));
        assertEquals(v.intid(), r.interrupt().orElseThrow().intid());
      }
    }
    assertEquals(before, host.machine().frames().bytesInUse());
  }

  @Test
  @DisplayName("a bank does not look at who writes: refused unless its owner is trusted")
  void notIsolated() {
    Host host = host("dt-p4080ds");
    assertThrows(
        NotIsolated.class, () -> Assignment.of(host, List.of(FIRST), request(WINDOW, false)));
  }

  @Test
  @DisplayName(
      "controllers with a bank each: two pages, each in one of the PAMU's windows, and a window of two pages is too small")
  void twoBanks() {
    Host host = host("dt-p4080ds");
    assertThrows(
        MsiWindowExhausted.class,
        () -> Assignment.of(host, List.of(FIRST, SECOND), request(WINDOW, true)));
    AddressRange sideBySide = AddressRange.ofSize(0x800_0000L, 0x2000);
    assertThrows(
        MsiWindowExhausted.class,
        () -> Assignment.of(host, List.of(FIRST, SECOND), request(sideBySide, true)));
    // Up to 256 MiB a LIODN's windows have 1 MiB each.
    AddressRange two = AddressRange.ofSize(0x800_0000L, 0x20_0000);
    try (Assignment a = Assignment.of(host, List.of(FIRST, SECOND), request(two, true))) {
      for (HostFunction f : a.functions()) {
        for (LiveVector v : a.vectors(f)) {
          assertTrue(a.fire(f, v).delivered());
        }
      }
    }
  }

  /// The same machine of an earlier kind, whose banks have no alias pages: all lie in one page.
  private static MachineDescription onePage(MachineDescription m) {
    List<MsiControllerDescription> banks =
        m.msiControllers().stream()
            .map(c -> (MsiControllerDescription.MpicMsi) c)
            .<MsiControllerDescription>map(b ->
                new MsiControllerDescription.MpicMsi(
                    b.id(), b.registers(), b.registers().start() + 0x140, b.wide(), b.source()))
            .toList();
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        banks,
        m.gic(),
        m.apic(),
        m.hostBridges(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  @Test
  @DisplayName(
      "banks in one page: one place for both in the window, each message at its own bank, and a plan says whose vectors can be forged")
  void sharedPage() {
    MachineDescription m =
        onePage(
            new WhatIf(SECOND, 0, 4, true)
                .addTo(
                    new WhatIf(FIRST, 8, 0, true)
                        .addTo(
                            Firmware.read(
                                Sysroot.open(Shared.require("captures/powerpc/dt-p4080ds"))))));
    Survey survey = Survey.of(m);
    Plan plan =
        new Planner(m)
            .plan(
                new Subjects(survey).of(FIRST).stream().toList(),
                new PlanRequest(
                    List.of(),
                    OptionalLong.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    OptionalInt.empty(),
                    false));
    String told =
        plan.conflicts().stream()
            .filter(c -> c.kind().equals("NotIsolated"))
            .findFirst()
            .orElseThrow()
            .message();
    assertTrue(
        told.endsWith(
            "any of its vectors and of mpic-msi@0xffe041800, mpic-msi@0xffe041a00 in the same granule of 4K, those of 0001:01:00.0 among them"),
        told);
    assertTrue(plan.conflicts().stream().anyMatch(c -> c.kind().equals("GranuleExceedsFrame")));
    Host host = Host.start(EmbeddedMachine.of(m));
    try (Assignment a = Assignment.of(host, List.of(FIRST, SECOND), request(WINDOW, true))) {
      for (HostFunction f : a.functions()) {
        for (LiveVector v : a.vectors(f)) {
          assertTrue(a.fire(f, v).delivered());
          Route r =
              new RouteWalker(host.survey(), new LiveState(host, a.functions()))
                  .walk(f.sbdf(), v.index());
          assertTrue(r.delivered(), r.stoppedAt().orElse(""));
          assertEquals(
              f.sbdf().equals(FIRST) ? "mpic-msi@0xffe041600" : "mpic-msi@0xffe041800",
              r.interrupt().orElseThrow().controller());
        }
      }
    }
  }

  @Test
  @DisplayName(
      "R3: what a container says that two banks' functions need is enough, where it is said to be; a page less is not")
  void need() {
    try (Vfio vfio = HostVfio.open(host("dt-p4080ds"));
        Container c =
            vfio.open(ContainerOptions.USUAL.withUnsafeInterrupts().withoutAutomaticWindow())) {
      c.attach(vfio.group(FIRST));
      assertEquals(0x1000, c.msiWindowNeed().bytes());
      c.attach(vfio.group(SECOND));
      MsiWindowNeed need = c.msiWindowNeed();
      assertEquals(2, need.pages());
      // Up to 256 MiB a LIODN's windows have 1 MiB each.
      assertEquals(20, need.alignmentOrder());
      assertEquals(0x10_1000, need.bytes());
      c.reserveMsiWindow(AddressRange.ofSize(0x800_0000L, need.bytes() - 0x1000));
      assertThrows(MsiWindowExhausted.class, () -> enableBoth(vfio));
      c.removeMsiWindow();
      c.reserveMsiWindow(AddressRange.ofSize(0x800_0000L, need.bytes()));
      enableBoth(vfio);
      assertEquals(need, c.msiWindowNeed());
    }
    try (Vfio vfio = HostVfio.open(host("dt-p4080ds"));
        Container c =
            vfio.open(ContainerOptions.USUAL.withUnsafeInterrupts().withoutAutomaticWindow())) {
      c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x200_0000));
      c.attach(vfio.group(FIRST));
      c.attach(vfio.group(SECOND));
      assertEquals(0x100_1000, c.msiWindowNeed().bytes(), "up to 4 GiB they have 16 MiB each");
      enableBoth(vfio);
    }
  }

  private static void enableBoth(Vfio vfio) {
    try (Device first = vfio.group(FIRST).open(FIRST);
        Device second = vfio.group(SECOND).open(SECOND)) {
      assertEquals(1, first.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
      assertEquals(1, second.enable(IrqType.MSI, 1, List.of(new EventCounter())));
    }
  }
}
