package dev.doorbell.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.HostBridge.MsiMapping;
import dev.doorbell.description.HostBridge.StreamMapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Isolation;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Shared;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// A machine whose firmware maps ids by the bus alone, as `iommu-map-mask` and `msi-map-mask` of 0xff00 do: `samples/two-its` with two
/// functions more on bus 0.
class SharedIdentitiesTest {
  private static final Sbdf A = Sbdf.parse("0000:00:0a.0");
  private static final Sbdf B = Sbdf.parse("0000:00:0b.0");
  private static final int BUS_ONLY = 0xff00;

  private static MachineDescription machine(int streamMask, int deviceMask) {
    MachineDescription m =
        Firmware.read(Sysroot.open(ProjectRoot.path().resolve("samples").resolve("two-its")));
    m = new WhatIf(B, 4, 0, true).addTo(new WhatIf(A, 4, 0, true).addTo(m));
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges().stream().map(b -> masked(b, streamMask, deviceMask)).toList(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  private static HostBridge masked(HostBridge b, int streamMask, int deviceMask) {
    return new HostBridge(
        b.id(),
        b.segment(),
        b.firstBus(),
        b.lastBus(),
        b.ecam(),
        b.streams().stream()
            .map(s ->
                new StreamMapping(
                    streamMask, s.firstRid(), s.count(), s.iommu(), s.firstStreamId(), s.source()))
            .toList(),
        b.msis().stream()
            .map(s ->
                new MsiMapping(
                    deviceMask,
                    s.firstRid(),
                    s.count(),
                    s.controllers(),
                    s.firstDeviceId(),
                    s.source()))
            .toList(),
        b.windows(),
        b.dmaRanges(),
        b.dmaBits(),
        b.source());
  }

  private static List<Conflict> conflicts(MachineDescription m, String kind) {
    Subject s = new Subjects(Survey.of(m)).of(A).orElseThrow();
    return new Planner(m)
        .plan(List.of(s), PlanRequest.DEFAULT).conflicts().stream()
            .filter(c -> c.kind().equals(kind))
            .toList();
  }

  @Test
  @DisplayName("R5: a StreamID that a function of another group has blocks the plan, both named")
  void sharedStream() {
    MachineDescription m = machine(BUS_ONLY, 0xffff);
    Conflict c = conflicts(m, "StreamIdShared").getFirst();
    assertTrue(c.blocks());
    assertEquals(A.toString(), c.a().name());
    assertTrue(c.b().name().startsWith("0000:00:"), c.b()::name);
    assertTrue(c.b().source().where().contains("IORT"), c.b().source()::where);
    assertTrue(
        Survey.of(m).oddities().stream()
            .anyMatch(
                o -> o.message().contains("is given to") && o.message().contains(A + ", " + B)),
        () -> Survey.of(m).oddities().toString());
  }

  @Test
  @DisplayName("R5: the port in an endpoint's group counts, whose StreamID another port has")
  void sharedStreamOfMate() {
    MachineDescription m = Firmware.read(Sysroot.open(Shared.require("lab-captures/arm64-its-dt")));
    HostBridge b = m.hostBridges().getFirst();
    Sbdf endpoint = Sbdf.parse("0000:01:00.0");
    MachineDescription shared =
        new MachineDescription(
            m.arch(),
            m.firmware(),
            m.iommus(),
            m.msiControllers(),
            m.gic(),
            m.apic(),
            List.of(masked(b, BUS_ONLY, 0xffff)),
            m.functions(),
            m.memory(),
            m.reserved(),
            m.recorded(),
            m.oddities(),
            m.unseen());
    Subject s = new Subjects(Survey.of(shared)).of(endpoint).orElseThrow();
    Conflict c =
        new Planner(shared)
            .plan(List.of(s), PlanRequest.DEFAULT).conflicts().stream()
                .filter(o -> o.kind().equals("StreamIdShared"))
                .findFirst()
                .orElseThrow();
    assertTrue(c.blocks());
    assertTrue(c.message().contains("in the group of " + endpoint), c::message);
  }

  @Test
  @DisplayName(
      "behind an SMMUv2 a shared StreamID makes one group, with its reason, as Linux does: no conflict, no oddity")
  void sharedStreamOfSmmuv2() {
    MachineDescription m = version2(machine(BUS_ONLY, 0xffff));
    Survey survey = Survey.of(m);
    Groups.Group group = survey.group(A).orElseThrow();
    assertTrue(group.functions().contains(B), group::toString);
    assertTrue(
        group.because().stream()
            .anyMatch(b -> b.contains("StreamID 0x") && b.contains("stream mapping entry")),
        group::toString);
    assertEquals(List.of(), conflicts(m, "StreamIdShared"));
    assertFalse(survey.oddities().stream().anyMatch(o -> o.message().contains("is given to")));
  }

  private static MachineDescription version2(MachineDescription m) {
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus().stream()
            .<IommuDescription>map(i ->
                new IommuDescription.Smmuv2(
                    i.id(),
                    "MMU-500",
                    i.registers().orElseThrow(),
                    true,
                    0,
                    i.abilities(),
                    i.source()))
            .toList(),
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
  }

  @Test
  @DisplayName("StreamIDs of their own are no conflict and no oddity")
  void ownStreams() {
    MachineDescription m = machine(0xffff, 0xffff);
    assertEquals(List.of(), conflicts(m, "StreamIdShared"));
    assertFalse(
        Survey.of(m).oddities().stream().anyMatch(o -> o.message().contains("is given to")));
  }

  @Test
  @DisplayName(
      "R21: a DeviceID shared with another group at one ITS is not isolated, and the plan advises only what helps")
  void sharedDeviceId() {
    MachineDescription m = machine(0xffff, BUS_ONLY);
    Survey survey = Survey.of(m);
    Isolation i = survey.isolation(survey.group(A).orElseThrow());
    assertEquals(Isolation.State.NO, i.state());
    assertTrue(i.because().contains(A + " has DeviceID"), i.because());
    Conflict c = conflicts(m, "DeviceIdNotUnique").getFirst();
    assertFalse(c.advice().contains("another container"), c.advice());
    Survey own = Survey.of(machine(0xffff, 0xffff));
    assertEquals(Isolation.State.YES, own.isolation(own.group(A).orElseThrow()).state());
  }
}
