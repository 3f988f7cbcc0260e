package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("issue 6, differential test: Doorbell's model of AMD IOMMUs and QEMU's amd-iommu")
class AmdViDifferentialTest {
  private static final int SCENARIOS = 300;
  private static final int STEPS = 40;

  /// Scenarios instead of those; the first seed instead of 1; options of another QEMU's `amd-iommu`.
  private static final String COUNT = "doorbell.diff.count";

  private static final String FIRST = "doorbell.diff.first";
  private static final String OPTIONS = "doorbell.diff.amd-iommu";

  private static AmdViPair start() throws IOException {
    try {
      return AmdViPair.start(QemuBinary.x86(), System.getProperty(OPTIONS, ""));
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  @Test
  @DisplayName(
      "device table entries, host page tables, interrupt tables and commands: random scenarios show no difference but those of docs/qemu-differences.md")
  void same() throws IOException {
    int first = Integer.getInteger(FIRST, 1);
    int count = Integer.getInteger(COUNT, SCENARIOS);
    Map<String, Integer> seen = new TreeMap<>();
    try (AmdViPair pair = start()) {
      for (int seed = first; seed < first + count; seed++) {
        AmdViScenario s = new AmdViScenario(pair, seed, seen);
        assertEquals("", s.run(STEPS), "seed " + seed + ": " + s.last());
      }
    }
    for (String outcome : AmdViScenario.OUTCOMES) {
      assertTrue(count < SCENARIOS || seen.containsKey(outcome), () -> outcome + ": " + seen);
    }
  }
}
