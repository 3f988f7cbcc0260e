package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.FakeQemu;
import dev.doorbell.qemu.Qemus;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("diff: one scenario on two machines, and the first difference that software can see")
class DiffCommandTest {
  private static final String PROPERTY = "doorbell.qemu";

  @TempDir Path folder;

  @AfterEach
  void noProperty() {
    System.clearProperty(PROPERTY);
  }

  /// The distribution's QEMU with two CPUs where the model has four: another machine, which `diff` is not told of.
  private void useOneWithTwoCpus() throws IOException {
    String real = Qemus.orSkip().path().toString();
    System.setProperty(
        PROPERTY,
        FakeQemu.shell(folder, "exec '%s' \"$@\" -smp 2".formatted(real)).path().toString());
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  @DisplayName(
      "a machine that differs: status 1, both sides, the seed, and a scenario that shows it again")
  void difference() throws IOException {
    useOneWithTwoCpus();
    Run run = Run.of("diff", "--hardware", "its", "--seed", "3", "--count", "20");
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("difference: seed "), run.out());
    assertTrue(run.out().contains("\n  model: "), run.out());
    assertTrue(run.out().contains("\n  QEMU:  "), run.out());
    String heading = "a scenario that shows it (for --replay)";
    int at = run.out().indexOf("hardware its\n");
    assertTrue(at > run.out().indexOf(heading), run.out());
    Path again = file("again.txt", run.out().substring(at));
    Run replayed = Run.of("diff", "--replay", again.toString());
    assertEquals(1, replayed.status(), replayed::toString);
    assertTrue(replayed.out().contains("difference: step "), replayed.out());
  }

  @Test
  @DisplayName(
      "the same as a document: what differs, its seed and script; replayed it has no seed, as none made it")
  void differenceAsDocument() throws IOException {
    useOneWithTwoCpus();
    Run run = Run.of("diff", "--hardware", "its", "--seed", "3", "--count", "20", "--json");
    assertEquals(1, run.status(), run::toString);
    Json.Node document = Json.parse(run.out());
    assertEquals(3, document.get("seed").number());
    Json.Node found = document.get("difference");
    assertEquals(2 + document.get("scenarios").number(), found.get("seed").number());
    assertFalse(found.get("model").text().equals(found.get("other").text()), run.out());
    String script =
        found.get("script").list().stream().map(Json.Node::text).collect(Collectors.joining("\n"));
    Path again = file("again.txt", script + "\n");
    Run replayed = Run.of("diff", "--replay", again.toString(), "--json");
    assertEquals(1, replayed.status(), replayed::toString);
    Json.Node second = Json.parse(replayed.out());
    assertFalse(second.get("seed").isPresent(), replayed.out());
    assertFalse(second.get("difference").get("seed").isPresent(), replayed.out());
    assertEquals(found.get("what").text(), second.get("difference").get("what").text());
  }

  @Test
  @DisplayName("the same machine: status 0, and what is known is counted")
  void none() {
    assertTrue(Qemus.orSkip().path().isAbsolute());
    Run run = Run.of("diff", "--seed", "1", "--count", "30", "--json");
    assertEquals(0, run.status(), run::toString);
    Json.Node document = Json.parse(run.out());
    assertEquals(30, document.get("scenarios").number());
    assertFalse(document.get("difference").isPresent(), run.out());
    assertFalse(document.get("known").names().isEmpty(), run.out());
    assertTrue(Run.of("diff", "--count", "30").out().contains("no difference"));
  }

  @Test
  @DisplayName(
      "--print prints a seed's scenario, and with --replay the file's, with what its steps mean")
  void printed() throws IOException {
    Run seed = Run.of("diff", "--hardware", "gicv2m", "--seed", "7", "--print");
    assertEquals(0, seed.status(), seed::toString);
    assertTrue(seed.out().startsWith("hardware gicv2m\n"), seed.out());
    Path bare =
        file(
            "bare.txt",
            seed.out()
                .lines()
                .map(l -> l.replaceAll(" *#.*", ""))
                .collect(Collectors.joining("\n")));
    Run again = Run.of("diff", "--print", "--replay", bare.toString());
    assertEquals(0, again.status(), again::toString);
    assertEquals(seed.out(), again.out());
    Json.Node document = Json.parse(Run.of("diff", "--print", "--seed", "7", "--json").out());
    assertEquals("hardware smmuv3", document.get("script").list().getFirst().text());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --replay FILE --hardware smmuv3      | contradicts FILE, which is for hardware its
          --replay FILE --hardware gic         | no hardware is called 'gic'
          --replay FILE --seed 1               | --seed means nothing beside --replay
          --replay FILE --count 2              | --count means nothing beside --replay
          --replay FILE --steps 2              | --steps means nothing beside --replay
          --print --count 2                    | --count means nothing beside --print
          --hardware x                         | no hardware is called 'x'
          --count 0                            | 0 scenarios
          --steps 1001                         | 1001 steps
          --replay DIR                         | DIR is a folder
          --replay DIR/none                    | there is no file DIR/none
          --replay /dev/zero                   | /dev/zero is no regular file
          --replay LARGE                       | has more than 4194304 bytes
          """)
  @DisplayName("arguments that contradict each other or mean nothing are unusable, and say why")
  void contradictions(String line, String told) throws IOException {
    Path its = file("its.txt", "hardware its\ndrain\n");
    Path large = Files.write(folder.resolve("large.txt"), new byte[4_194_305]);
    List<String> names =
        List.of("FILE", its.toString(), "DIR", folder.toString(), "LARGE", large.toString());
    String words = line;
    String wanted = told;
    for (int i = 0; i < names.size(); i += 2) {
      words = words.replace(names.get(i), names.get(i + 1));
      wanted = wanted.replace(names.get(i), names.get(i + 1));
    }
    Run run = Run.of(("diff " + words).split(" ", -1));
    assertEquals(2, run.status(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().contains(wanted), run.err());
  }

  @Test
  @DisplayName("a QEMU that ends half-way: status 2, the line sent last, and which seed it was in")
  void endsHalfWay() throws IOException {
    String real = Qemus.orSkip().path().toString();
    String script = "'%s' \"$@\" & qemu=$!; sleep 3; kill -9 $qemu; wait $qemu".formatted(real);
    System.setProperty(PROPERTY, FakeQemu.shell(folder, script).path().toString());
    Run run = Run.of("diff", "--hardware", "its", "--seed", "5", "--count", "1000000");
    assertEquals(2, run.status(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().contains("status 137; the last line sent to it was"), run.err());
    assertTrue(run.err().contains("it was in the scenario of seed "), run.err());
    assertTrue(run.err().contains("diff --hardware its --seed "), run.err());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          explode                     | no such step: explode
          write 0x1 4 0x0             | write
          message 0x48 0x0 0x1        | no device with requester id 0x48
          store 0x0 0x1               | 0x0
          """)
  @DisplayName("a step that is none, or that no machine can perform, is told with its line")
  void badStep(String step, String told) throws IOException {
    assertTrue(Qemus.orSkip().path().isAbsolute());
    Path script = file("script.txt", "# mine\nhardware its\nread 0x8080000 4\n" + step + "\n");
    Run run = Run.of("diff", "--replay", script.toString());
    assertEquals(2, run.status(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().contains("script.txt line 4, `%s`".formatted(step)), run.err());
    assertTrue(run.err().contains(told), run.err());
  }
}
