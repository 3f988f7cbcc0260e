package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.smmuv3.SmmuFeatures;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("issue 3, differential test: it finds what is wrong, and nothing where nothing is")
class PlantedFaultTest {
  private static final int STEPS = 25;

  @ParameterizedTest
  @EnumSource(FaultyRig.Fault.class)
  @DisplayName(
      "a model with a planted fault is found out within 100 scenarios, by a shorter scenario that shows it again")
  void found(FaultyRig.Fault fault) {
    try (Differential d = Differential.with(fault.hardware, new FaultyRig(fault))) {
      Differential.Report report = d.run(1, 100, STEPS, seed -> {});
      assertTrue(report.finding().isPresent(), () -> fault + " was not found: " + report);
      Differential.Finding finding = report.finding().get();
      Scenario again = Script.parse(finding.script(), "finding");
      assertAll(
          () -> assertTrue(finding.seed().isPresent()),
          () -> assertTrue(d.replay(again, "finding").finding().isPresent(), finding.script()));
    }
  }

  @ParameterizedTest
  @EnumSource(Hardware.class)
  @DisplayName("the model shows no difference to itself, not even a known one")
  void none(Hardware hardware) {
    ModelRig twin = new ModelRig(hardware, SmmuFeatures.qemu72());
    try (Differential d = Differential.with(hardware, twin)) {
      Differential.Report report = d.run(1, 200, STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
      assertEquals(Map.of(), report.tolerated());
    }
  }
}
