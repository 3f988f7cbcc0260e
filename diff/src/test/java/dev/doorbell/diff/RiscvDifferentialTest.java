package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("issue 7, differential test: Doorbell's RISC-V IOMMU and QEMU's riscv-iommu")
class RiscvDifferentialTest {
  private static final int SCENARIOS = 50;
  private static final int STEPS = 20;

  /// Scenarios instead of those; the first seed instead of 1.
  private static final String COUNT = "doorbell.diff.count";

  private static final String FIRST = "doorbell.diff.first";

  /// What so many scenarios must have met.
  private static final List<String> OUTCOMES =
      List.of(
          "passes",
          "cause 15",
          "cause 23",
          "cause 258",
          "cause 259",
          "cause 260",
          "cause 267",
          "command",
          "illegal command",
          "message no fault",
          "message MSI PTE not valid",
          "message MSI PTE misconfigured",
          "riscv-dc-reserved",
          "riscv-pte-u",
          "riscv-mrif-layout");

  @Test
  @DisplayName(
      "directories, processes, both stages, MSI page tables and commands: random scenarios show no difference but those of docs/qemu-differences.md")
  void same() {
    int first = Integer.getInteger(FIRST, 1);
    int count = Integer.getInteger(COUNT, SCENARIOS);
    Map<String, Integer> seen = new TreeMap<>();
    try (RiscvPair pair = RiscvPair.start(RiscvQemu.orSkip())) {
      for (int seed = first; seed < first + count; seed++) {
        RiscvScenario s = new RiscvScenario(pair, seed, seen);
        assertEquals("", s.run(STEPS), "seed " + seed + ": " + s.last());
      }
    }
    for (String outcome : OUTCOMES) {
      assertTrue(count < SCENARIOS || seen.containsKey(outcome), () -> outcome + ": " + seen);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 18, 22, 23, 38})
  @DisplayName(
      "a model that lacks Sv57, Sv48x4, MSI page tables, MRIFs or process directories is noticed")
  void notices(int capability) {
    String found = "";
    try (RiscvPair pair = RiscvPair.start(RiscvQemu.orSkip(), 1L << capability)) {
      for (int seed = 1; seed <= SCENARIOS && found.isEmpty(); seed++) {
        found = new RiscvScenario(pair, seed, new TreeMap<>()).run(STEPS);
      }
    }
    assertNotEquals("", found);
  }
}
