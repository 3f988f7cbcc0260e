package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("doctor and capture on the command line")
class DoctorAndCaptureTest {
  @TempDir private Path folder = Path.of(".");

  private String out() {
    return folder.resolve("out").toString();
  }

  private String told(String text) {
    return text.replace(folder.toString(), "TMP");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"arm64-its-acpi-switch-sriov", "arm64-gicv2m-acpi", "arm64-2smmu-acpi", "two-its"})
  @DisplayName(
      "inspect, plan and doctor print the same of a sample and of its captures, anonymised or not")
  void sameAnswers(String sample) {
    String root = Run.sample(sample);
    assertEquals(0, Run.on(root, "capture", out()).status());
    String anonymised = folder.resolve("anonymised").toString();
    assertEquals(0, Run.on(root, "capture", anonymised, "--anonymise").status());
    for (String copy : List.of(out(), anonymised)) {
      for (String command : List.of("inspect", "plan", "doctor")) {
        String[] more =
            command.equals("plan")
                ? new String[] {"--ram", "4G", "--json"}
                : new String[] {"--json"};
        assertEquals(
            Run.on(root, command, more), Run.on(copy, command, more), command + " of " + copy);
      }
    }
  }

  @Test
  @DisplayName("capture prints what it wrote, for people and as JSON")
  void printed() throws IOException {
    Run text = Run.on(Run.TWO_ITS, "capture", out());
    Golden.check("capture/two-its.txt", told(text.out()));
    Run json =
        Run.on(Run.TWO_ITS, "capture", folder.resolve("json").toString(), "--anonymise", "--json");
    Golden.check("capture/two-its.json", told(json.out()));
    assertAll(
        () -> assertEquals("", text.err()),
        () -> assertEquals("", json.err()),
        () -> assertEquals(0, json.status()));
  }

  @Test
  @DisplayName("what could not be read is printed with the reason")
  void unread() throws IOException {
    Files.createDirectories(folder.resolve("host/proc/iomem"));
    Run run = Run.on(folder.resolve("host").toString(), "capture", out());
    assertTrue(run.out().contains("proc/iomem: proc/iomem is not a regular file"), run.out());
  }

  @Test
  @DisplayName("verdict first, exit status 1 when it is no; --json prints the usual shape")
  void verdictNo() throws IOException {
    Path tables = Files.createDirectories(folder.resolve("host/sys/firmware/acpi/tables"));
    Files.copy(Path.of(Run.TWO_ITS, "sys/firmware/acpi/tables/APIC"), tables.resolve("APIC"));
    String root = folder.resolve("host").toString();
    Run run = Run.on(root, "doctor");
    Json.Node json = Json.parse(Run.on(root, "doctor", "--json").out());
    assertAll(
        () -> assertEquals(1, run.status()),
        () -> assertTrue(run.out().startsWith("no: firmware has no IORT"), run.out()),
        () -> assertEquals(List.of("findings", "functions", "verdict"), json.names()),
        () -> assertTrue(json.get("verdict").text().startsWith("no: ")),
        () ->
            assertEquals(
                List.of("id", "severity", "message", "source", "cure", "seen", "functions"),
                json.get("findings").list().getFirst().names()));
  }

  @Test
  @DisplayName("a folder that tells nothing of a machine is exit status 2, not a verdict")
  void nothingToSee() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    Run run = Run.on(empty.toString(), "doctor");
    Json.Node error = Json.parse(Run.on(empty.toString(), "doctor", "--json").out()).get("error");
    assertAll(
        () -> assertEquals(2, run.status()),
        () -> assertEquals("", run.out()),
        () -> assertEquals("NothingToSee", error.get("type").text()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          doctor 0000:7f:00.0        | NoSuchFunction
          doctor here                | BadArguments
          doctor --loud              | BadArguments
          capture                    | BadArguments
          capture /                  | OutputRefused
          capture FULL               | OutputRefused
          capture FULL/mine          | OutputRefused
          capture FULL/no/such/place | OutputRefused
          """)
  @DisplayName(
      "arguments that cannot be used: exit status 2, one sentence, one document under --json")
  void badArguments(String line, String type) throws IOException {
    Path full = Files.createDirectories(folder.resolve("full"));
    Files.writeString(full.resolve("mine"), "mine");
    String[] words = line.replace("FULL", full.toString()).split(" ");
    String[] more = java.util.Arrays.copyOfRange(words, 1, words.length + 1);
    more[more.length - 1] = "--json";
    Run json = Run.on(Run.TWO_ITS, words[0], more);
    Run text = Run.on(Run.TWO_ITS, words[0], java.util.Arrays.copyOf(more, more.length - 1));
    assertAll(
        () -> assertEquals(2, json.status()),
        () -> assertEquals(2, text.status()),
        () -> assertEquals("", text.out()),
        () -> assertFalse(text.err().contains("\tat "), text.err()),
        () -> assertEquals(type, Json.parse(json.out()).get("error").get("type").text()),
        () -> assertEquals("mine", Files.readString(full.resolve("mine"))));
  }

  @Test
  @DisplayName(
      "the machine that runs the tests is examined and captured without an exception, whatever it is")
  void thisMachine() {
    Run doctor = Run.of("doctor");
    Run capture = Run.of("capture", out());
    assertAll(
        () -> assertTrue(doctor.status() == 0 || doctor.status() == 1, doctor.err()),
        () -> assertTrue(doctor.out().matches("(?s)(yes|no|conditional): .*"), doctor.out()),
        () -> assertEquals(0, capture.status(), capture.err()),
        () -> assertEquals(doctor.status(), Run.on(out(), "doctor").status()));
  }
}
