package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("what keeps processors' requests from a function")
class ObstacleTest {
  private static Survey survey(Path root) {
    return Survey.of(Firmware.read(Sysroot.open(root)));
  }

  private static List<Path> folders(Path of) throws IOException {
    try (Stream<Path> all = Files.list(of)) {
      return all.filter(Files::isDirectory).sorted().toList();
    }
  }

  private static void assertReached(List<Path> machines) {
    List<String> kept = new ArrayList<>();
    int functions = 0;
    for (Path root : machines) {
      Survey survey = survey(root);
      for (SurveyedFunction f : survey.functions()) {
        functions++;
        Obstacle.before(survey, f)
            .or(() -> Obstacle.beforeTable(survey, f))
            .ifPresent(o -> kept.add("%s %s: %s".formatted(root.getFileName(), f.sbdf(), o)));
      }
    }
    assertEquals(List.of(), kept);
    assertFalse(functions == 0);
  }

  @Test
  @DisplayName("nothing is in the way of any function of the samples")
  void samples() throws IOException {
    assertReached(folders(ProjectRoot.path().resolve("samples")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lab-captures",
        "captures/arm64",
        "captures/x86",
        "captures/powerpc",
        "captures/riscv64",
        "captures/ppc64le"
      })
  @DisplayName("nothing is in the way of any function that a running kernel had")
  void captured(String folder) throws IOException {
    assertReached(folders(Shared.require(folder)));
  }

  @ParameterizedTest
  @CsvSource({
    "0000:04:01.0, 0000:03:00.0",
    "0000:05:1f.7, 0000:03:01.0",
    "0000:06:02.0, 0000:00:04.0",
    "0000:04:00.1, ''",
    "0000:00:1f.0, ''",
    // A switch's internal bus is no link.
    "0000:03:02.0, ''"
  })
  @DisplayName(
      "a what-if function: below a port that forwards no ARI numbers device 0 alone can be")
  void whatIf(String function, String port) {
    Path root = ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
    Sbdf sbdf = Sbdf.parse(function);
    Survey survey =
        Survey.of(new WhatIf(sbdf, 4, 0, true).addTo(Firmware.read(Sysroot.open(root))));
    Optional<Obstacle> o = Obstacle.before(survey, survey.function(sbdf).orElseThrow());
    assertEquals(port, o.map(Obstacle::at).orElse(""));
  }
}
