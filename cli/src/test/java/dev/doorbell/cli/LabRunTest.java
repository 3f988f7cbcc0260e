package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `lab/run` and `lab/lib/boot.sh` as they are, with an emulator, a kernel and a relay that only wait, and nothing that is fetched.
@DisplayName("lab/run takes its emulator and its files with it, whatever ends it")
class LabRunTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
  private static final int PATIENCE_SECONDS = 60;

  @TempDir Path folder;
  private Path here;

  @BeforeEach
  void checkoutWithoutPackages() throws IOException {
    OutsideTool.require("setpriv");
    OutsideTool.require("flock");
    here = folder.resolve("checkout");
    for (String file : List.of("lab/run", "lab/lib/boot.sh", "build/find-jdk.sh")) {
      Path to = here.resolve(file);
      Files.createDirectories(to.getParent());
      Files.copy(CHECKOUT.resolve(file), to);
    }
    Files.createDirectories(folder.resolve("tmp"));
    Files.createDirectories(here.resolve("lab/machines"));
    Files.createDirectories(here.resolve("lab/guest"));
    Files.writeString(here.resolve("lab/guest/run.sh"), "");
    Files.writeString(
        here.resolve("lab/machines/some"), "arch=arm64 emulator=(package qemu) steps=(Step)\n");
    Files.writeString(
        here.resolve("lab/lib/packages.sh"), "lab_qemu() { qemu=(\"$FOLDER/qemu\"); }\n");
    Files.writeString(
        here.resolve("lab/lib/kernel.sh"),
        "lab_drivers=()\nlab_kernel() { kernel=none initramfs=none module_tree=; }\n");
    Files.writeString(
        here.resolve("lab/lib/image.sh"),
        "lab_initramfs() { :; }\nlab_target() { :; }\nlab_loops() { :; }\nlab_program() { :; }\n");
    Files.writeString(here.resolve("lab/lib/reread.sh"), "lab_reread() { :; }\n");
    script("jdk/bin/javac", "exit 0");
    script("jdk/bin/java", "exec sleep 600");
    script("qemu", "exec sleep 600");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.3\"\n");
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  @DisplayName("a signal: emulator, its limit and the relay end, the files go")
  void signalled(String signal, int status) throws Exception {
    Process run = start("");
    List<Long> started = started(run);
    signal(signal, run.pid());
    assertTrue(run.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), said());
    assertEquals(status, run.exitValue(), said());
    assertEquals(List.of(), started.stream().filter(LabRunTest::runs).toList());
    assertEquals(List.of(), files());
  }

  @Test
  @DisplayName("kept files are kept when a signal ends it")
  void kept() throws Exception {
    Process run = start("1");
    List<Long> started = started(run);
    signal("TERM", run.pid());
    assertTrue(run.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), said());
    assertEquals(List.of(), started.stream().filter(LabRunTest::runs).toList());
    assertEquals(1, files().size());
    assertFalse(Files.exists(files().getFirst().resolve("busy")));
    assertTrue(said().contains("lab: files are in " + files().getFirst()), said());
  }

  @Test
  @DisplayName(
      "a kill: emulator, its limit and the relay end; the next run removes the files, and leaves those of a run that lives")
  void killed() throws Exception {
    Process run = start("");
    List<Long> started = started(run);
    Process living = start("");
    List<Long> alive = started(living);
    List<Path> both = files();
    assertEquals(2, both.size());
    signal("KILL", run.pid());
    assertTrue(run.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertTrue(comes(() -> started.stream().noneMatch(LabRunTest::runs)), "the emulator goes on");
    assertEquals(both, files());
    Process next = start("");
    started(next);
    List<Path> left = files();
    assertEquals(1, left.stream().filter(both::contains).count());
    assertEquals(2, left.size());
    assertTrue(alive.stream().allMatch(LabRunTest::runs));
    for (Process p : List.of(living, next)) {
      signal("TERM", p.pid());
      assertTrue(p.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
    assertEquals(List.of(), files());
  }

  @Test
  @DisplayName("an emulator that ends by itself without a report is a failure, and its files go")
  void endsByItself() throws Exception {
    script("qemu", "echo no such machine; exit 1");
    script("jdk/bin/java", "exit 0");
    Process run = start("");
    assertTrue(run.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertEquals(1, run.exitValue(), said());
    assertTrue(said().contains("no such machine"), said());
    assertEquals(List.of(), files());
  }

  /// Signals that this process was started with as ignored are not for what it starts.
  private Process start(String keep) throws IOException {
    ProcessBuilder b =
        new ProcessBuilder(
            "env", "--default-signal", "bash", here.resolve("lab/run").toString(), "some");
    b.environment().put("DOORBELL_JAVA_HOME", folder.resolve("jdk").toString());
    b.environment().put("DOORBELL_LAB_CACHE", folder.resolve("cache").toString());
    b.environment().put("DOORBELL_LAB_KEEP", keep);
    b.environment().put("TMPDIR", folder.resolve("tmp").toString());
    b.environment().put("FOLDER", folder.toString());
    b.redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("said").toFile()));
    b.redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("said").toFile()));
    return b.start();
  }

  /// {@return what it has started, once that are the limit, the emulator and the relay}
  private List<Long> started(Process run) throws Exception {
    List<Long> found = new ArrayList<>();
    assertTrue(comes(() -> isSettled(run, found)), this::saidOrNot);
    return List.copyOf(found);
  }

  /// The script sleeps itself for moments while it starts them: only what is there twice counts.
  private static boolean isSettled(Process run, List<Long> found) {
    List<Long> now = waiting(run);
    boolean settled = now.size() == 3 && now.equals(found);
    found.clear();
    found.addAll(now);
    return settled;
  }

  private static List<Long> waiting(Process run) {
    return run.descendants()
        .filter(p -> p.info().command().orElse("").matches(".*/(sleep|timeout)"))
        .map(ProcessHandle::pid)
        .toList();
  }

  /// {@return whether a process runs: one that nobody has waited for yet does not}
  private static boolean runs(long pid) {
    try {
      String state = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return "ZX".indexOf(state.charAt(state.lastIndexOf(')') + 2)) < 0;
    } catch (IOException e) {
      // It is gone.
      return false;
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(folder.resolve("tmp"))) {
      return all.sorted().toList();
    }
  }

  private static boolean comes(Callable<Boolean> state) throws Exception {
    for (int i = 0; i < PATIENCE_SECONDS * 20; i++) {
      if (state.call()) {
        return true;
      }
      Thread.sleep(50);
    }
    return false;
  }

  private static void signal(String signal, long pid) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).inheritIO().start();
    assertEquals(0, kill.waitFor());
  }

  private String said() throws IOException {
    return Files.readString(folder.resolve("said"));
  }

  private String saidOrNot() {
    try {
      return said();
    } catch (IOException e) {
      return "it said nothing that can be read: " + e;
    }
  }

  private void script(String name, String body) throws IOException {
    Path script = folder.resolve(name);
    Files.createDirectories(script.getParent());
    Files.writeString(script, "#!/bin/sh\n" + body + "\n");
    assertTrue(script.toFile().setExecutable(true));
  }
}
