package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The commands that `assign` advises show what it did.
class TryNextTest {
  @Test
  @DisplayName(
      "trace as advised shows the address that assign programmed, with its window and granule")
  void sameAddress() {
    Run assign =
        Run.of(
            "assign",
            "0000:04:00.0",
            "0000:05:00.0",
            "--root",
            Run.ITS,
            "--window",
            "0x9000000-0x90fffff",
            "--granule",
            "16K",
            "--max",
            "2");
    assertEquals(0, assign.status(), assign::toString);
    assertTrue(assign.out().contains("0x9000040"), assign::toString);
    List<String> advised =
        assign.out().lines().map(String::strip).filter(l -> l.startsWith("doorbell ")).toList();
    String window = " --window 0x9000000-0x90fffff --granule 16K";
    assertTrue(advised.get(0).endsWith(window + " --max 2 --vector 0"), advised::toString);
    assertTrue(advised.get(1).contains("0000:04:00.0 0000:05:00.0 "), advised::toString);
    assertTrue(advised.get(1).contains(window + " --max 2"), advised::toString);
    assertTrue(advised.get(2).contains("0000:04:00.0 0000:05:00.0 "), advised::toString);
    String[] words =
        advised
            .get(0)
            .replace("./samples", Run.ITS.replaceFirst("/samples/.*", "/samples"))
            .split(" ");
    Run trace = Run.of(java.util.Arrays.copyOfRange(words, 1, words.length));
    assertEquals(0, trace.status(), trace::toString);
    assertTrue(trace.out().contains("to 0x9000040"), trace::toString);
  }

  private static void refusedAsAdvised(String... assignment) {
    Run assign = Run.of(assignment);
    assertEquals(0, assign.status(), assign::toString);
    String advised =
        assign
            .out()
            .lines()
            .map(String::strip)
            .filter(l -> l.startsWith("doorbell assign "))
            .findFirst()
            .orElseThrow()
            .replace("./samples", Run.ITS.replaceFirst("/samples/.*", "/samples"));
    String[] words = advised.split(" ");
    Run small = Run.of(java.util.Arrays.copyOfRange(words, 1, words.length));
    assertEquals(1, small.status(), small::toString);
    assertTrue(small.out().contains("refused: MsiWindowExhausted"), small::toString);
  }

  @Test
  @DisplayName("the window advised as too small is refused as such")
  void tooSmall() {
    refusedAsAdvised("assign", "0000:04:00.0", "--root", Run.ITS, "--max", "2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"powerpc/dt-t4240rdb", "riscv64/qemu-virt-iommu-sys"})
  @DisplayName("the same where the IOMMU has no granule but 4K")
  void tooSmallForOneGranule(String capture) {
    String root = Shared.require("captures/" + capture).toString();
    refusedAsAdvised(
        "assign", "--root", root, "--with", "0000:01:00.0,msix=8", "--unsafe-interrupts");
  }

  @Test
  @DisplayName("a window is not chosen for tables that others built")
  void otherTables() {
    Run run =
        Run.on(
            Run.ITS, "trace", "0000:04:00.0", "--granule", "4K", "--tables", Run.ITS + "/oracle");
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains("--granule"), run::toString);
  }
}
