package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Arguments and input that cannot be used: a sentence and what to do, never a stack trace.
@DisplayName("bad input of the commands, and their exit statuses")
class BadInputTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          unknown-function  | NoSuchFunction  | plan --devices 0000:7f:00.0
          no-function       | BadArguments    | plan here
          no-range          | BadArguments    | plan --window 0x8000000
          backward-range    | BadArguments    | plan --window 0x9000000-0x8000000
          wide-number       | BadArguments    | plan --ram 0x0-0x10000000000000000
          no-granule        | BadArguments    | plan --granule 8K
          no-vectors        | BadArguments    | plan --max 0
          word-for-number   | BadArguments    | plan --max many
          unknown-form      | BadArguments    | plan --emit vmx
          unknown-option    | BadArguments    | inspect --loud
          unknown-inspected | NoSuchFunction  | inspect 0000:7f:00.0
          bad-what-if       | BadArguments    | inspect --with 0000:7f:00.0,msix=x
          """)
  @DisplayName("exit status 2, one sentence on standard error, one document under --json")
  void unusable(String name, String type, String line) throws IOException {
    List<String> args = new ArrayList<>(Arrays.asList(line.split(" ")));
    args.addAll(1, List.of("--root", Run.TWO_ITS));
    Run run = Run.of(args.toArray(String[]::new));
    args.add("--json");
    Run json = Run.of(args.toArray(String[]::new));
    Json.Node error = Json.parse(json.out()).get("error");
    Golden.check("error/" + name + ".txt", run.err());
    Golden.check("error/" + name + ".json", json.out());
    assertAll(
        () -> assertEquals(2, run.status()),
        () -> assertEquals("", run.out()),
        () -> assertEquals(2, json.status()),
        () -> assertEquals("", json.err()),
        () -> assertEquals(type, error.get("type").text()),
        () ->
            assertEquals(
                List.of(
                    "type",
                    "message",
                    "needed",
                    "available",
                    "unit",
                    "objects",
                    "source",
                    "advice"),
                error.names()));
  }

  @Test
  @DisplayName("a root that is not there is named, with exit status 2")
  void missingRoot(@TempDir Path folder) {
    String missing = folder.resolve("gone").toString();
    for (String command : List.of("inspect", "plan")) {
      Run run = Run.of(command, "--root", missing);
      Json.Node error = Json.parse(Run.of(command, "--root", missing, "--json").out()).get("error");
      assertAll(
          command,
          () -> assertEquals(2, run.status()),
          () -> assertEquals("", run.out()),
          () -> assertTrue(run.err().contains(missing), run.err()),
          () -> assertEquals("UnusableSysroot", error.get("type").text()));
    }
  }

  @Test
  @DisplayName("an empty folder is inspected with exit status 0, and what is not in it is unseen")
  void emptyFolder(@TempDir Path folder) {
    Run run = Run.of("inspect", "--root", folder.toString());
    Json.Node json = Json.parse(Run.of("inspect", "--root", folder.toString(), "--json").out());
    Run plan = Run.of("plan", "--root", folder.toString());
    assertAll(
        () -> assertEquals(0, run.status()),
        () -> assertEquals("", run.err()),
        () -> assertTrue(run.out().contains("firmware tables"), run.out()),
        () -> assertFalse(json.get("unseen").list().isEmpty()),
        () -> assertTrue(json.get("functions").list().isEmpty()),
        () -> assertEquals(2, plan.status()),
        () -> assertTrue(plan.err().contains("no PCI functions"), plan.err()));
  }

  @Test
  @DisplayName("exit status 1 is a verdict: printed as the plan's usual form, not as an error")
  void verdict() {
    String[] args = {"--window", "0x8000000-0x80fffff", "--ram", "0x8000000-0x8ffffff", "--json"};
    Run run = Run.on(Run.TWO_ITS, "plan", args);
    Json.Node document = Json.parse(run.out());
    assertAll(
        () -> assertEquals(1, run.status()),
        () -> assertEquals("", run.err()),
        () -> assertTrue(document.get("verdict").text().startsWith("no: ")),
        () -> assertFalse(document.get("error").isPresent()));
  }
}
