package dev.doorbell.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Unseen;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Requests at the edges: the top of 2^64, RAM inside a granule, bridges, the largest granule.
class PlanEdgesTest {
  private static final MachineDescription MACHINE =
      Firmware.read(Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov")));

  private static Plan plan(
      String function, List<AddressRange> ram, Optional<AddressRange> window, Granule granule) {
    Subjects subjects = new Subjects(Survey.of(MACHINE));
    return new Planner(MACHINE)
        .plan(
            subjects.of(Sbdf.parse(function)).stream().toList(),
            new PlanRequest(
                ram,
                OptionalLong.empty(),
                window,
                Optional.of(granule),
                OptionalInt.empty(),
                false));
  }

  private static List<String> blocking(Plan plan) {
    return plan.conflicts().stream().filter(Conflict::blocks).map(Conflict::kind).toList();
  }

  @Test
  @DisplayName("whole granules of a window are counted up to the top of 2^64")
  void slots() {
    assertEquals(1, WindowPlanner.slots(new AddressRange(-0x1000L, -1L), Granule.K4));
    assertEquals(0, WindowPlanner.slots(new AddressRange(-0xfffL, -1L), Granule.K4));
    assertEquals(0, WindowPlanner.slots(new AddressRange(-0x1000L, -2L), Granule.K4));
    assertEquals(1L << 52, WindowPlanner.slots(new AddressRange(0, -1L), Granule.K4));
    assertEquals(2, WindowPlanner.slots(new AddressRange(0x1fffL, 0x4ffeL), Granule.K4));
  }

  @Test
  @DisplayName("a window at the top of 2^64 has room and lies past the aperture")
  void windowAtTheTop() {
    Plan plan =
        plan("0000:04:00.0", List.of(), Optional.of(new AddressRange(-0x1000L, -1L)), Granule.K4);
    assertEquals(List.of("WindowMeetsAperture"), blocking(plan));
  }

  @Test
  @DisplayName("guest RAM that begins or ends inside a granule cannot be mapped")
  void ramInsideGranule() {
    for (AddressRange ram :
        List.of(
            new AddressRange(0x4000_0001L, 0x4000_ffffL),
            new AddressRange(0x4000_0000L, 0x4000_fffeL))) {
      Plan plan = plan("0000:04:00.0", List.of(ram), Optional.empty(), Granule.K4);
      assertEquals(List.of("RamNotAligned"), blocking(plan));
    }
    AddressRange small = new AddressRange(0x4000_0000L, 0x4000_0fffL);
    assertEquals(
        List.of(), blocking(plan("0000:04:00.0", List.of(small), Optional.empty(), Granule.K4)));
    assertEquals(
        List.of("RamNotAligned"),
        blocking(plan("0000:04:00.0", List.of(small), Optional.empty(), Granule.K64)));
  }

  @Test
  @DisplayName("a root port and a switch port stay with the host")
  void bridges() {
    for (String port : List.of("0000:00:02.0", "0000:03:00.0")) {
      assertTrue(
          blocking(plan(port, List.of(), Optional.empty(), Granule.K4)).contains("NotAssignable"));
    }
  }

  @Test
  @DisplayName("granules that cannot be seen make no difference where the largest is asked for")
  void largestGranule() {
    Optional<AddressRange> page = Optional.of(new AddressRange(0x800_0000L, 0x800_0fffL));
    assertTrue(assumesGranules(plan("0000:04:00.0", List.of(), page, Granule.K4)));
    assertFalse(assumesGranules(plan("0000:04:00.0", List.of(), page, Granule.K64)));
  }

  private static boolean assumesGranules(Plan plan) {
    return plan.unseen().stream().map(Unseen::what).anyMatch(w -> w.startsWith("granules of"));
  }

  @Test
  @DisplayName(
      "R18: three messages of an MSI function are granted, and four taken at the controller")
  void multiMessageMsi() {
    Sbdf sbdf = Sbdf.parse("0000:00:1e.0");
    MachineDescription machine = new WhatIf(sbdf, 0, 8, true).addTo(MACHINE);
    Plan plan =
        new Planner(machine)
            .plan(
                new Subjects(Survey.of(machine)).of(sbdf).stream().toList(),
                new PlanRequest(
                    List.of(),
                    OptionalLong.empty(),
                    Optional.empty(),
                    Optional.of(Granule.K4),
                    OptionalInt.of(3),
                    false));
    assertEquals(List.of(new LedgerLine(sbdf, 8, 3, "--max 3")), plan.ledger());
  }
}
