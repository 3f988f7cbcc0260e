package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Holds each module's instruction coverage against `coverage-floor.txt` at the top of the project.
///
/// The file only rises: `-Ddoorbell.coverage=raise` writes what was measured, less one point, where that is higher.
@DisplayName("coverage: no module falls below its floor")
class CoverageFloorTest {
  @Test
  @DisplayName("every module with a floor reaches it")
  void modulesReachTheirFloor() throws IOException {
    String mode = System.getProperty("doorbell.coverage", "off");
    assumeTrue(!mode.equals("off"), "skipped: this build measures no coverage");
    Path file = ProjectRoot.path().resolve("coverage-floor.txt");
    Coverage floors = Coverage.floors(Files.readAllLines(file));
    Coverage measured = Coverage.measured(ProjectRoot.path());
    assertTrue(measured.percents().containsKey("core"), "core was measured");
    if (mode.equals("raise")) {
      floors = floors.raised(measured);
      StringBuilder text =
          new StringBuilder(
              "# Per cent of instructions that a module's own tests execute. Only rises.\n");
      floors
          .percents()
          .forEach((m, floor) -> text.append(m).append(' ').append(floor).append('\n'));
      Files.writeString(file, text);
    }
    assertEquals(List.of(), floors.objections(measured));
  }

  @Test
  @DisplayName("a module below its floor is named with both figures")
  void objections() {
    Coverage floors = Coverage.floors(List.of("# comment", "core 80", "", "cli 60"));
    assertEquals(List.of(), floors.objections(new Coverage(Map.of("core", 80))));
    assertEquals(
        List.of("core covers 79 % of its instructions, and its floor is 80 %"),
        floors.objections(new Coverage(Map.of("core", 79, "cli", 60, "bench", 1))));
  }

  @Test
  @DisplayName("a floor rises to one point less than measured, and never falls")
  void raised() {
    assertEquals(
        Map.of("core", 87, "cli", 60, "bench", 0),
        Coverage.floors(List.of("core 25", "cli 60"))
            .raised(new Coverage(Map.of("core", 88, "cli", 40, "bench", 1)))
            .percents());
  }

  @Test
  @DisplayName("a table's instructions are summed over its classes")
  void percent() {
    assertEquals(75, Coverage.percent(List.of("GROUP,…", "g,p,A,1,0,9", "g,p,B,0,3,9")));
  }
}
