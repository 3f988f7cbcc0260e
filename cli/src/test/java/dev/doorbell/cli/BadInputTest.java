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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Arguments and input that cannot be used: a sentence and what to do, never a stack trace.
@DisplayName("bad input of the commands, and their exit statuses")
class BadInputTest {
  private static final List<String> ERROR_NAMES =
      List.of("type", "message", "needed", "available", "unit", "objects", "source", "advice");

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
          unknown-hardware  | BadArguments    | assign --on bochs
          unknown-board     | BadArguments    | assign --on qemu --qemu gicv5
          unknown-option    | BadArguments    | inspect --loud
          unknown-inspected | NoSuchFunction  | inspect 0000:7f:00.0
          no-size           | BadArguments    | plan --ram 15E
          empty-root        | BadArguments    | inspect --root=
          unknown-command   | BadArguments    | frobnicate
          one-too-many      | BadArguments    | trace 0000:01:00.0 0001:01:00.0
          no-such-vector    | NoSuchVector    | trace 0000:01:00.0 --vector 5
          far-vector        | NoSuchVector    | trace 0000:01:00.0 --vector 2147483647
          below-vector      | BadArguments    | trace 0000:01:00.0 --vector -1
          no-tables         | UnusableTables  | trace 0000:01:00.0 --tables gone
          min-above-max     | BadArguments    | assign 0000:01:00.0 --min 5 --max 4
          no-min            | BadArguments    | assign 0000:01:00.0 --min 0
          bad-what-if       | BadArguments    | inspect --with 0000:7f:00.0,msix=x
          what-if-twice     | BadArguments    | inspect --with 0000:7f:00.0,msix=4,msix=5
          ram-in-between    | BadArguments    | plan --ram 100K
          absent-bus        | NoSuchFunction  | plan 0005:01:00.0
          """)
  @DisplayName("exit status 2, one sentence on standard error, one document under --json")
  void unusable(String name, String type, String line) throws IOException {
    List<String> args = new ArrayList<>(Arrays.asList(line.split(" ")));
    if (!name.equals("empty-root") && !name.equals("unknown-command")) {
      args.addAll(1, List.of("--root", Run.TWO_ITS));
    }
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
        () -> assertEquals(ERROR_NAMES, error.names()));
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

  @ParameterizedTest
  @ValueSource(strings = {"", "no dump at all", "\u0000\u0001\uffff"})
  @DisplayName("a file that is named and tells nothing is unusable: exit status 2 and one sentence")
  void fileOfNothing(String content, @TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("dump.txt"), content);
    for (String command : List.of("inspect", "plan", "assign")) {
      Run run = Run.of(command, "--root", file.toString());
      Run json = Run.of(command, "--root", file.toString(), "--json");
      assertAll(
          command,
          () -> assertEquals(2, run.status()),
          () -> assertEquals("", run.out()),
          () -> assertTrue(run.err().contains(file + " tells of no PCI function"), run.err()),
          () ->
              assertEquals(
                  "UnusableSysroot", Json.parse(json.out()).get("error").get("type").text()));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          registers.json | ''                     | it holds no JSON object
          registers.json | 'null'                 | it holds no JSON object
          registers.json | '{} {}'                | Trailing token
          registers.json | '{"its":[{"regs":{}}]}' | without a base
          devices.json   | '[1, 2]'               | it holds no JSON object
          devices.json   | '{"devices":'          | Unexpected end
          memory.txt     | 'page'                 | memory.txt line 1
          """)
  @DisplayName("tables that cannot be read end trace with exit status 2 and the file's name")
  void tables(String file, String content, String why, @TempDir Path folder) throws IOException {
    Path sample = Path.of(Run.ITS, "oracle");
    for (String name : List.of("memory.txt", "registers.json", "devices.json")) {
      Files.copy(sample.resolve(name), folder.resolve(name));
    }
    Files.delete(folder.resolve(file));
    Files.writeString(folder.resolve(file), content);
    Run run = Run.on(Run.ITS, "trace", "0000:04:00.0", "--tables", folder.toString());
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains(file) && run.err().contains(why), run::toString);
  }

  @Test
  @DisplayName("a JSON file nested without end is refused, not followed")
  void nestedTables(@TempDir Path folder) throws IOException {
    Path sample = Path.of(Run.ITS, "oracle");
    Files.copy(sample.resolve("memory.txt"), folder.resolve("memory.txt"));
    Files.copy(sample.resolve("devices.json"), folder.resolve("devices.json"));
    Files.writeString(folder.resolve("registers.json"), "[".repeat(200_000));
    Run run = Run.on(Run.ITS, "trace", "0000:04:00.0", "--tables", folder.toString());
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains("registers.json cannot be used"), run::toString);
  }

  @Test
  @DisplayName("memory.txt that is not text is said to be so")
  void binaryMemory(@TempDir Path folder) throws IOException {
    Path sample = Path.of(Run.ITS, "oracle");
    Files.copy(sample.resolve("registers.json"), folder.resolve("registers.json"));
    Files.copy(sample.resolve("devices.json"), folder.resolve("devices.json"));
    Files.write(folder.resolve("memory.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    Run run = Run.on(Run.ITS, "trace", "0000:04:00.0", "--tables", folder.toString());
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains("memory.txt cannot be used: it is not text in UTF-8"), run.err());
  }

  @Test
  @DisplayName("a function whose config space is not in the capture has no made-up identity")
  void unseenIdentity(@TempDir Path folder) throws IOException {
    Files.createDirectories(folder.resolve("sys/bus/pci/devices/0000:00:01.0"));
    Run run = Run.of("inspect", "--root", folder.toString());
    Json.Node function =
        Json.parse(Run.of("inspect", "--root", folder.toString(), "--json").out())
            .get("functions")
            .list()
            .getFirst();
    assertFalse(run.out().contains("ffff"), run.out());
    for (String name : List.of("vendor", "device", "class")) {
      assertTrue(function.names().contains(name) && !function.get(name).isPresent(), name);
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

  @Test
  @DisplayName("what an error quotes cannot drive the terminal")
  void controlCharacters() {
    Run run = Run.of("inspect", "--root", "gone\u001b[2J\u0007");
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains("gone\\u001b[2J\\u0007"), run.err());
    assertTrue(run.err().chars().allMatch(c -> c >= ' ' || c == '\n' || c == '\r'), run::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plan --devices LONG",
        "plan --ram LONG",
        "plan --window LONG",
        "inspect --LONG",
        "inspect --root SAMPLE LONG",
        "inspect --root LONG",
        "inspect --with LONG",
        "trace --root SAMPLE LONG",
        "trace 0000:01:00.0 --tables LONG",
        "trace 0000:01:00.0 --vector LONG",
        "assign --on LONG",
        "vm --kernel LONG --device 0000:01:00.0",
        "diff --replay LONG",
        "capture /LONG/out",
        "bench LONG",
        "LONG"
      })
  @DisplayName("of an argument without end the beginning is repeated, and its length")
  void endless(String line) {
    for (String end : List.of("", " --json")) {
      boolean knows = !line.startsWith("capture") && !line.startsWith("vm");
      String words = line.replace("SAMPLE", Run.TWO_ITS) + (knows ? end : "");
      Run run = Run.of(words.replace("LONG", "x".repeat(50_000)).split(" ", -1));
      assertEquals(2, run.status(), line);
      String said = run.err() + run.out();
      assertTrue(said.length() < 2_000, () -> line + " is answered by " + said.length());
      assertTrue(said.contains("characters)"), said);
    }
  }
}
