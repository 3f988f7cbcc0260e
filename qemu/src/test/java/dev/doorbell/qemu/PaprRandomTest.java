package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.SeededRandom;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("issue 7, differential test: our model of a hypervisor and QEMU's")
class PaprRandomTest {
  private static final int SCENARIOS = Integer.getInteger("doorbell.papr.count", 6);
  private static final long FIRST = Long.getLong("doorbell.papr.first", 1);
  private static final int STEPS = 80;

  @Test
  @DisplayName(
      "TCEs, dynamic windows, ibm,change-msi with its retries, routes and presentation: random calls are answered alike, and DMA lands alike, but for what docs/qemu-differences.md names")
  void same() {
    Map<String, Integer> seen = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SCENARIOS; seed++) {
      try (Pseries machine = Pseries.startOrSkip()) {
        PaprScenario s = new PaprScenario(machine, Set.of(), SeededRandom.of(seed), seen);
        String found = s.run(STEPS);
        assertEquals("", found, "seed %d: %s".formatted(seed, s.log()));
      }
    }
    for (String outcome : PaprScenario.OUTCOMES) {
      assertTrue(
          SCENARIOS < 6 || seen.containsKey(outcome), () -> "never: " + outcome + " " + seen);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"H_PUT_TCE", "H_CPPR", "ibm,change-msi", "ibm,set-xive"})
  @DisplayName("a model that answers a call and does nothing is noticed")
  void notices(String leftOut) {
    String found = "";
    for (long seed = 1; seed <= SCENARIOS && found.isEmpty(); seed++) {
      try (Pseries machine = Pseries.startOrSkip()) {
        found =
            new PaprScenario(machine, Set.of(leftOut), SeededRandom.of(seed), new TreeMap<>())
                .run(STEPS);
      }
    }
    assertNotEquals("", found);
  }
}
