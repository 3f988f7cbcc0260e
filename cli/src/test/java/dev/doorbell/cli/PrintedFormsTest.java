package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.util.Arrays;
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
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          its            | arm64-its-acpi-switch-sriov | 0 | 0000:04:00.0 0000:01:10.0 --max 4
          msi            | arm64-its-acpi-switch-sriov | 0 | 0000:00:01.0
          v2m            | arm64-gicv2m-acpi           | 0 | --unsafe-interrupts
          two-smmus      | arm64-2smmu-acpi            | 0 | --max 2
          two-its        | two-its                     | 0 | 0000:01:00.0 0001:01:00.0
          low-msi        | two-its                     | 0 | 0000:02:00.0 --with 0000:02:00.0,msi=4,addr64=no
          no-granule     | arm64-its-acpi-switch-sriov | 1 | --granule 64K --window 0x8000000-0x8000fff
          one-granule    | two-its                     | 1 | 0000:01:00.0 0001:01:00.0 --window 0x8000000-0x8000fff
          not-isolated   | arm64-gicv2m-acpi           | 1 | 0000:01:00.0
          few-vectors    | arm64-its-acpi-switch-sriov | 1 | 0000:04:00.0 --min 18
          bridge         | arm64-its-acpi-switch-sriov | 1 | 0000:00:02.0
          no-msi         | arm64-its-acpi-switch-sriov | 1 | 0000:00:00.0
          ram-on-window  | two-its                     | 1 | --window 0x8000000-0x80fffff --ram 0x8000000-0x8ffffff
          """)
  @DisplayName("assign and its refusals, for people and as JSON")
  void assign(String name, String sample, int status, String line) throws IOException {
    String[] args = line.split(" ");
    check("assign/" + name + ".txt", status, Run.on(Run.sample(sample), "assign", args));
    check("assign/" + name + ".json", status, Run.on(Run.sample(sample), "assign", json(args)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          derived        | arm64-its-acpi-switch-sriov | 0 | false | 0000:04:00.0 --vector 3
          walked         | arm64-its-acpi-switch-sriov | 0 | true  | 0000:04:00.0 --vector 3
          broken         | arm64-its-acpi-switch-sriov | 1 | true  | 0000:04:00.0 --vector 16
          not-recorded   | arm64-its-acpi-switch-sriov | 1 | true  | 0000:00:00.0
          v2m            | arm64-gicv2m-acpi           | 0 | true  | 0000:01:00.0
          v2m-derived    | arm64-gicv2m-acpi           | 0 | false | 0000:01:00.0 --unsafe-interrupts
          two-its        | two-its                     | 0 | false | 0001:01:00.0 --vector 8
          no-iommu       | arm64-its-acpi-switch-sriov | 0 | false | 0000:07:00.0 --vector 2 --with 0000:07:00.0,msix=4
          """)
  @DisplayName("trace, derived and over captured tables, for people and as JSON")
  void trace(String name, String sample, int status, boolean walked, String line)
      throws IOException {
    String tables = walked ? " --tables " + Run.sample(sample) + "/oracle" : "";
    String[] args = (line + tables).split(" ");
    check("trace/" + name + ".txt", status, Run.on(Run.sample(sample), "trace", args));
    check("trace/" + name + ".json", status, Run.on(Run.sample(sample), "trace", json(args)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          not-isolated | arm64-gicv2m-acpi           | 0000:01:00.0
          bridge       | arm64-its-acpi-switch-sriov | 0000:03:00.0
          no-msi       | arm64-its-acpi-switch-sriov | 0000:00:00.0
          """)
  @DisplayName("a trace that is refused: on standard error for people, one document as JSON")
  void refusedTrace(String name, String sample, String function) throws IOException {
    Run text = Run.on(Run.sample(sample), "trace", function);
    assertEquals("", text.out());
    assertEquals(1, text.status());
    Golden.check("trace/refused-" + name + ".txt", text.err());
    Run json = Run.on(Run.sample(sample), "trace", function, "--json");
    check("trace/refused-" + name + ".json", 1, json);
  }

  private static String[] json(String... args) {
    String[] more = Arrays.copyOf(args, args.length + 1);
    more[args.length] = "--json";
    return more;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"arm64-its-acpi-switch-sriov", "arm64-gicv2m-acpi", "arm64-2smmu-acpi", "two-its"})
  @DisplayName("doctor, for people and as JSON")
  void doctor(String sample) throws IOException {
    String root = Run.sample(sample);
    check("doctor/" + sample + ".txt", 0, Run.on(root, "doctor"));
    check("doctor/" + sample + ".json", 0, Run.on(root, "doctor", "--json"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "inspect", "plan", "assign", "trace", "doctor", "capture", "diff", "vm", "bench"
      })
  @DisplayName("--help")
  void help(String command) throws IOException {
    Run run = command.isEmpty() ? Run.of("--help") : Run.of(command, "--help");
    check("help/" + (command.isEmpty() ? "doorbell" : command) + ".txt", 0, run);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gicv2m-37004", "smmuv3-101317"})
  @DisplayName("diff --print of a recorded scenario, with what its steps mean")
  void diff(String recorded) throws IOException {
    String folder = "diff/src/test/resources/dev/doorbell/diff/settled/";
    String file = ProjectRoot.path().resolve(folder + recorded + ".txt").toString();
    check("diff/" + recorded + ".txt", 0, Run.of("diff", "--print", "--replay", file));
  }
}
