package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("functions that --with puts where no function of the machine can be")
class NobodyThereTest {
  @ParameterizedTest
  @ValueSource(strings = {"plan", "assign", "trace"})
  @DisplayName("below a port, which leads to device 0 alone: said so, not that MSI is missing")
  void belowAPort(String command) {
    Run run = Run.on(Run.ITS, command, "--with", "0000:04:08.0,msix=4", "0000:04:08.0");
    String all = run.out() + run.err();
    assertEquals(1, run.status(), run::toString);
    assertTrue(
        all.contains(
            "0000:04:08.0 cannot be assigned: no function answers there: port 0000:03:00.0 above it leads to device 0 alone"),
        run::toString);
    assertTrue(!all.contains("neither MSI nor MSI-X"), run::toString);
  }
}
