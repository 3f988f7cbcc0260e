package dev.doorbell.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.ProjectRoot;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Functions of one DeviceID behind different ITSes, on `samples/two-its` with one function more behind the second ITS.
class NamesakesTest {
  private static final Sbdf NVME = Sbdf.parse("0000:01:00.0");
  private static final Sbdf NIC = Sbdf.parse("0001:01:00.0");
  private static final Sbdf FAR = Sbdf.parse("0001:00:02.0");
  private static final MachineDescription MACHINE =
      new WhatIf(FAR, 4, 0, true)
          .addTo(
              Firmware.read(
                  Sysroot.open(ProjectRoot.path().resolve("samples").resolve("two-its"))));

  private static List<Conflict> conflicts(String driver, boolean unsafe, Sbdf... chosen) {
    MachineDescription m = driver.isEmpty() ? MACHINE : bound(NIC, driver);
    Subjects subjects = new Subjects(Survey.of(m));
    PlanRequest d = PlanRequest.DEFAULT;
    PlanRequest request =
        new PlanRequest(d.ram(), d.ramBytes(), d.window(), d.granule(), d.maxVectors(), unsafe);
    return new Planner(m)
            .plan(Arrays.stream(chosen).map(s -> subjects.of(s).orElseThrow()).toList(), request)
            .conflicts()
            .stream()
            .filter(c -> c.kind().equals("DeviceIdNotUnique"))
            .toList();
  }

  private static MachineDescription bound(Sbdf sbdf, String driver) {
    List<FunctionDescription> functions =
        MACHINE.functions().stream()
            .map(f ->
                f.sbdf().equals(sbdf)
                    ? new FunctionDescription(
                        f.sbdf(),
                        f.config(),
                        f.resources(),
                        f.physicalFunction(),
                        Optional.of(driver),
                        OptionalInt.empty(),
                        f.hypothetical(),
                        f.source())
                    : f)
            .toList();
    return new MachineDescription(
        MACHINE.arch(),
        MACHINE.firmware(),
        MACHINE.iommus(),
        MACHINE.msiControllers(),
        MACHINE.gic(),
        MACHINE.apic(),
        MACHINE.hostBridges(),
        functions,
        MACHINE.memory(),
        MACHINE.reserved(),
        MACHINE.recorded(),
        MACHINE.oddities(),
        MACHINE.unseen());
  }

  @Test
  @DisplayName(
      "R7: namesakes that share the domain, and those whose doorbell is not in it, are no conflict")
  void harmless() {
    assertEquals(List.of(), conflicts("e1000e", false, NVME, NIC));
    assertEquals(List.of(), conflicts("e1000e", false, NVME));
    assertEquals(List.of(), conflicts("e1000e", false, FAR));
  }

  @Test
  @DisplayName(
      "R21: a namesake that the host drives at a doorbell of the domain blocks the plan, both named")
  void driven() {
    Conflict c = conflicts("e1000e", false, NVME, FAR).getFirst();
    assertTrue(c.blocks());
    assertEquals(NVME.toString(), c.a().name());
    assertEquals("0001:01:00.0 with DeviceID 0x100 at its@0x30060000", c.b().name());
    assertTrue(c.b().source().where().contains("IORT"), c.b().source()::where);
    assertTrue(c.advice().contains("another container"), c.advice());
  }

  @Test
  @DisplayName(
      "R21: it is a caution where nobody is known to drive the namesake, or unsafe interrupts are allowed")
  void caution() {
    assertFalse(conflicts("", false, NVME, FAR).getFirst().blocks());
    assertFalse(conflicts("vfio-pci", false, NVME, FAR).getFirst().blocks());
    assertFalse(conflicts("e1000e", true, NVME, FAR).getFirst().blocks());
  }
}
