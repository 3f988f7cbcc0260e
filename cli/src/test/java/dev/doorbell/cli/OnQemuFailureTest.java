package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.FakeQemu;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.Qemus;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "design 6: a QEMU that cannot be used is exit 2 with its sentence, and nothing is left behind")
class OnQemuFailureTest {
  private static final String PROPERTY = "doorbell.qemu";

  @TempDir Path folder;

  private Set<Long> before = Set.of();

  @BeforeEach
  void note() {
    before = descendants();
  }

  @AfterEach
  void nothingLeft() throws IOException {
    System.clearProperty(PROPERTY);
    Set<Long> left = descendants();
    left.removeAll(before);
    assertEquals(Set.of(), left, "processes left running");
    String own = "doorbell-qemu-" + ProcessHandle.current().pid() + "-";
    for (Path place : List.of(Path.of("/dev/shm"), Path.of(System.getProperty("java.io.tmpdir")))) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> files = Files.list(place)) {
          assertEquals(
              List.of(), files.filter(f -> f.getFileName().toString().startsWith(own)).toList());
        }
      }
    }
  }

  private static Set<Long> descendants() {
    return ProcessHandle.current()
        .descendants()
        .map(ProcessHandle::pid)
        .collect(Collectors.toSet());
  }

  private static void use(QemuBinary binary) {
    System.setProperty(PROPERTY, binary.path().toString());
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "old, QemuTooOld, 6.2.22",
    "no-json, QemuGarbled, <html>",
    "hang-up, QemuUnusable, there is no device tree",
  })
  void wrongOne(String way, String type, String told) throws IOException {
    use(FakeQemu.script(folder, way));
    for (List<String> command :
        List.of(List.of("assign"), List.of("trace", "01:00.0"), List.of("inspect"))) {
      Run json = Run.of(with(command, "--on", "qemu", "--json"));
      assertEquals(2, json.status(), json::toString);
      assertEquals("", json.err());
      Json.Node error = Json.parse(json.out()).get("error");
      assertEquals(type, error.get("type").text());
      assertTrue(error.get("message").text().contains(told), error::toString);
      assertFalse(error.get("advice").text().isEmpty());
    }
    Run text = Run.of("plan", "--on", "qemu");
    assertEquals(2, text.status(), text::toString);
    assertEquals("", text.out());
    assertTrue(text.err().startsWith("doorbell: "), text.err());
    assertFalse(text.err().contains("\tat "), text.err());
  }

  @Test
  @DisplayName("one that ends at once: its status and what it printed are told")
  void endsAtOnce() throws IOException {
    use(FakeQemu.shell(folder, "echo no such accelerator >&2; exit 7"));
    Run run = Run.of("assign", "--on", "qemu");
    assertEquals(2, run.status(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().contains("ended with status 7"), run.err());
    assertTrue(run.err().contains("no such accelerator"), run.err());
  }

  @Test
  @DisplayName("the real one, killed while the command works: the line sent last is told")
  void killed() throws Exception {
    assertTrue(Qemus.orSkip().path().isAbsolute());
    CompletableFuture<Run> run =
        CompletableFuture.supplyAsync(() -> Run.of("assign", "--on", "qemu", "--json"));
    while (!run.isDone()) {
      ProcessHandle.current()
          .descendants()
          .filter(p -> p.info().command().orElse("").contains("qemu-system"))
          .forEach(ProcessHandle::destroyForcibly);
      Thread.onSpinWait();
    }
    Run ended = run.get();
    assertEquals(2, ended.status(), ended::toString);
    Json.Node error = Json.parse(ended.out()).get("error");
    assertEquals("QemuDied", error.get("type").text());
    assertTrue(error.get("message").text().contains("the last line sent to it was"), ended.out());
  }

  @Test
  @DisplayName("a file that is no program")
  void noProgram() throws IOException {
    Path file = folder.resolve("qemu-system-aarch64");
    Files.writeString(file, "\u0000\u0001 neither a script nor a program");
    assertTrue(file.toFile().setExecutable(true));
    use(new QemuBinary(file));
    Run run = Run.of("assign", "--on", "qemu", "--json");
    assertEquals(2, run.status(), run::toString);
    Json.Node error = Json.parse(run.out()).get("error");
    assertEquals("QemuDied", error.get("type").text());
    assertTrue(error.get("message").text().contains(file.toString()), error::toString);
  }

  private static String[] with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toArray(String[]::new);
  }
}
