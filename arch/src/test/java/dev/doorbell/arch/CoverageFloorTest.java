package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Holds each module's instruction coverage against `coverage-floor.txt` at the top of the project.
///
/// The file only rises: `-Ddoorbell.coverage=raise` writes what was measured, less one point, where that is higher.
@DisplayName("coverage: no module falls below its floor")
class CoverageFloorTest {
  private static final int MISSED = 3;
  private static final int COVERED = 4;

  @Test
  @DisplayName("every module with a floor reaches it")
  void modulesReachTheirFloor() throws IOException {
    String mode = System.getProperty("doorbell.coverage", "off");
    assumeTrue(!mode.equals("off"), "skipped: this build measures no coverage");
    Path file = ProjectRoot.path().resolve("coverage-floor.txt");
    TreeMap<String, Integer> floors = new TreeMap<>();
    for (String line : Files.readAllLines(file)) {
      if (!line.startsWith("#") && !line.isBlank()) {
        String[] words = line.strip().split("\\s+", -1);
        floors.put(words[0], Integer.parseInt(words[1]));
      }
    }
    assertTrue(floors.containsKey("core"), "the floor of core is in " + file);
    for (String module : List.copyOf(floors.keySet())) {
      Path table = ProjectRoot.path().resolve(module).resolve("target/site/jacoco/jacoco.csv");
      if (Files.isRegularFile(table)) {
        int reached = percent(table);
        int floor = floors.getOrDefault(module, 0);
        assertTrue(
            reached >= floor,
            () ->
                "%s covers %d %% of its instructions, and its floor is %d %%"
                    .formatted(module, reached, floor));
        floors.put(module, Math.max(floor, reached - 1));
      }
    }
    if (mode.equals("raise")) {
      StringBuilder text =
          new StringBuilder(
              "# Per cent of instructions that a module's own tests execute. Only rises.\n");
      floors.forEach((module, floor) -> text.append(module).append(' ').append(floor).append('\n'));
      Files.writeString(file, text);
    }
  }

  private static int percent(Path table) throws IOException {
    long missed = 0;
    long covered = 0;
    List<String> lines = Files.readAllLines(table);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      missed += Long.parseLong(cells[MISSED]);
      covered += Long.parseLong(cells[COVERED]);
    }
    return missed + covered == 0 ? 100 : (int) (100 * covered / (missed + covered));
  }
}
