package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What commands advise can be typed as it stands.
class AdviceTest {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  private static final Pattern COMMAND =
      Pattern.compile("doorbell ((?:assign|plan|trace|inspect)( [^\\n;()]*)?)");

  /// Arguments of every command line that a text advises.
  private static Set<String> advised(String text) {
    Set<String> out = new LinkedHashSet<>();
    Matcher m = COMMAND.matcher(text);
    while (m.find()) {
      out.add(m.group(1).strip());
    }
    return out;
  }

  private static Run typed(String line) {
    return Run.of(words(line.replace("./", ProjectRoot.path() + "/")));
  }

  /// Splits as a shell does, as far as advice needs it.
  private static String[] words(String line) {
    List<String> out = new ArrayList<>();
    Matcher m = Pattern.compile("(?:[^\\s']|'[^']*')+").matcher(line);
    while (m.find()) {
      out.add(m.group().replace("'", ""));
    }
    return out.toArray(String[]::new);
  }

  private static int everyAdviceOf(Run run, String what) {
    int tried = 0;
    for (String line : advised(run.out() + run.err())) {
      Run again = typed(line);
      assertTrue(again.status() < 2, () -> what + " advises " + line + "\n" + again);
      tried++;
    }
    return tried;
  }

  private static List<Path> machines() throws IOException {
    List<Path> out = new ArrayList<>();
    List<Path> folders = new ArrayList<>(List.of(ProjectRoot.path().resolve("samples")));
    if (Shared.has("lab-captures")) {
      folders.add(Shared.require("lab-captures"));
    }
    for (Path folder : folders) {
      try (Stream<Path> list = Files.list(folder)) {
        list.filter(p -> Files.isDirectory(p.resolve("sys"))).sorted().forEach(out::add);
      }
    }
    return out;
  }

  private static List<String> endpoints(Path root) {
    Run inspect = Run.on(root.toString(), "inspect", "--json");
    assertEquals(0, inspect.status());
    List<String> out = new ArrayList<>();
    for (JsonNode f : MAPPER.readTree(inspect.out()).path("functions")) {
      if (!f.path("msix").isNull() || !f.path("msi").isNull()) {
        out.add(f.path("sbdf").asString());
      }
    }
    return out;
  }

  @Test
  @DisplayName(
      "every command line that assign, plan and trace advise over every sample and lab capture ends in a yes or a no, never in exit status 2")
  void everywhere() throws IOException {
    int tried = 0;
    for (Path root : machines()) {
      List<String> functions = endpoints(root);
      for (List<String> more :
          List.of(List.<String>of(), List.of("--unsafe-interrupts", "--max", "1"))) {
        for (String f : functions.subList(0, Math.min(3, functions.size()))) {
          for (String command : List.of("assign", "plan", "trace")) {
            List<String> args = new ArrayList<>(more);
            args.addFirst(f);
            Run run = Run.on(root.toString(), command, args.toArray(String[]::new));
            tried += everyAdviceOf(run, root.getFileName() + " " + command + " " + args);
          }
        }
      }
    }
    // Machines that can be assigned to advise many lines, others few.
    assertTrue(tried > 4 * machines().size(), "only " + tried + " lines were advised");
  }

  @Test
  @DisplayName("a trace through tables beside their machine names that machine in its advice")
  void besideTables() {
    Run trace = Run.of("trace", "0000:05:00.0", "--vector", "999", "--tables", Run.ITS + "/oracle");
    assertEquals(2, trace.status(), trace::toString);
    Set<String> lines = advised(trace.out() + trace.err());
    assertFalse(lines.isEmpty(), trace::toString);
    for (String line : lines) {
      assertTrue(line.contains("--root ./samples/arm64-its-acpi-switch-sriov"), line);
      assertEquals(0, typed(line).status(), line);
    }
  }

  @Test
  @DisplayName(
      "what is advised after the bundled sample was taken looks at the sample, too, where the command would look at this host")
  void bundledSample() {
    String home = System.getProperty("doorbell.home");
    System.setProperty("doorbell.home", ProjectRoot.path().toString());
    try {
      Run assign = Run.of("assign", "0000:04:00.0");
      assertEquals(0, assign.status(), assign::toString);
      String plan =
          advised(assign.out()).stream()
              .filter(l -> l.startsWith("plan"))
              .findFirst()
              .orElseThrow();
      assertTrue(plan.contains("--root ./samples/"), plan);
      assertEquals(0, typed(plan).status(), plan);
      Run trace = Run.of("trace", "0000:04:00.0", "--vector", "999");
      assertEquals(2, trace.status(), trace::toString);
      assertTrue(trace.err().contains("--root ./samples/"), trace::toString);
    } finally {
      if (home == null) {
        System.clearProperty("doorbell.home");
      } else {
        System.setProperty("doorbell.home", home);
      }
    }
  }

  @Test
  @DisplayName(
      "after an assignment of several functions the advised trace and plan have its window, address, doorbell and INTID")
  void sameFacts() {
    for (String[] assignment :
        new String[][] {
          {"0001:01:00.0", "0000:01:00.0", "--root", Run.TWO_ITS, "--max", "3"},
          {
            "0000:01:00.0",
            "0001:01:00.0",
            "--root",
            Run.TWO_ITS,
            "--granule",
            "64K",
            "--ram",
            "0x8000000-0x8ffffff"
          },
          {"0000:04:00.0", "0000:01:10.0", "--root", Run.ITS, "--ram", "2G"}
        }) {
      String[] args =
          Stream.concat(Stream.of("assign"), Stream.of(assignment)).toArray(String[]::new);
      Run told = Run.of(args);
      assertEquals(0, told.status(), told::toString);
      List<String> lines = List.copyOf(advised(told.out()));
      JsonNode done = MAPPER.readTree(Run.of(with(args, "--json")).out());
      JsonNode first = done.path("vectors").path(0);
      JsonNode trace = MAPPER.readTree(typed(lines.get(0) + " --json").out());
      assertEquals(first.path("doorbell").asString(), trace.path("doorbell").asString());
      assertEquals(
          first.path("intid").asInt(), trace.path("interrupt").path("intid").asInt(), lines.get(0));
      assertTrue(
          trace.path("hops").toString().contains("to " + first.path("address").asString()),
          () -> lines.get(0) + "\n" + trace);
      JsonNode plan = MAPPER.readTree(typed(lines.get(1) + " --json").out());
      for (String fact : List.of("start", "end", "granule", "doorbells")) {
        assertEquals(
            done.path("plan").path("window").path(fact),
            plan.path("window").path(fact),
            lines.get(1));
      }
      assertEquals(done.path("plan").path("ledger"), plan.path("ledger"), lines.get(1));
      assertNotEquals(2, typed(lines.get(2)).status(), lines.get(2));
    }
  }

  private static String[] with(String[] args, String more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  @DisplayName("the call that is advised is the one that was typed")
  void program() {
    System.setProperty("doorbell.command", "../my tools/doorbell");
    try {
      Run run = Run.on(Run.ITS, "assign", "0000:04:00.0", "--max", "1");
      assertTrue(run.out().contains("  '../my tools/doorbell' trace 0000:04:00.0"), run::toString);
    } finally {
      System.clearProperty("doorbell.command");
    }
  }
}
