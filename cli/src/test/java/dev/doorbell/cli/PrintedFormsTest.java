package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.Golden;
import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What people and scripts are shown, to the letter.
@DisplayName("printed forms of the commands over the bundled samples")
class PrintedFormsTest {
  private static void check(String file, int status, Run run) throws IOException {
    assertEquals("", run.err());
    Golden.check(file, run.out());
    assertEquals(status, run.status());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"arm64-its-acpi-switch-sriov", "arm64-gicv2m-acpi", "arm64-2smmu-acpi", "two-its"})
  @DisplayName("inspect, for people and as JSON")
  void inspect(String sample) throws IOException {
    check("inspect/" + sample + ".txt", 0, Run.on(Run.sample(sample), "inspect"));
    check("inspect/" + sample + ".json", 0, Run.on(Run.sample(sample), "inspect", "--json"));
  }

  @ParameterizedTest
  @CsvSource({
    "arm64-its-acpi-switch-sriov, 0",
    "arm64-gicv2m-acpi, 1",
    "arm64-2smmu-acpi, 0",
    "two-its, 0"
  })
  @DisplayName("plan, for people and as JSON")
  void plan(String sample, int status) throws IOException {
    String root = Run.sample(sample);
    check("plan/" + sample + ".txt", status, Run.on(root, "plan", "--ram", "4G"));
    check("plan/" + sample + ".json", status, Run.on(root, "plan", "--ram", "4G", "--json"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "inspect", "plan"})
  @DisplayName("--help")
  void help(String command) throws IOException {
    Run run = command.isEmpty() ? Run.of("--help") : Run.of(command, "--help");
    check("help/" + (command.isEmpty() ? "doorbell" : command) + ".txt", 0, run);
  }
}
