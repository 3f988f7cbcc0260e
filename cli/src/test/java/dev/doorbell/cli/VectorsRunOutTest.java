package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// A machine with four processors has 896 vectors for devices.
class VectorsRunOutTest {
  private static Run assign(String... more) {
    String root = Shared.require("captures/x86/dell-latitude-e7470").toString();
    String[] args = {
      "assign", "--root", root, "--with", "0000:01:00.0,msix=900", "--with", "0000:01:00.1,msix=4"
    };
    String[] all = new String[args.length + more.length];
    System.arraycopy(args, 0, all, 0, args.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return Run.of(all);
  }

  @Test
  @DisplayName(
      "SDM 6.2: a function that finds no vector left at any CPU is refused with both figures, and the limit's source")
  void refused() {
    Run run = assign("0000:01:00.0", "0000:01:00.1");
    assertEquals(1, run.status(), run.out());
    assertTrue(run.out().contains("refused: VectorsExhausted"), run.out());
    assertTrue(run.out().contains("needed 1 vectors, available 0 vectors"), run.out());
    assertTrue(run.out().contains("32 to 255 of each CPU, 224"), run.out());
    assertTrue(run.out().contains("the machine is as it was before"), run.out());
  }

  @Test
  @DisplayName("alone it gets what there is, and both figures are shown")
  void granted() {
    Run run = assign("0000:01:00.0");
    assertEquals(0, run.status(), run.out());
    assertTrue(run.out().contains("can use 900 vectors and lapic@0xfee00000 has 896 left"));
    assertTrue(
        run.out().contains("896 of 896 vectors arrived"), run.out().lines().toList()::toString);
  }
}
