package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "whichever way the process that started QEMU ends, QEMU ends too, and its folder is gone")
@Timeout(120)
class OrphanTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "killed",
    "terminated",
    "describing",
    "exit",
    "halt",
    "wrapper-killed",
    "child-killed",
    "group-INT",
    "group-TERM",
    "group-KILL"
  })
  void parentEnds(String way, @TempDir Path folder) throws Exception {
    Process parent = start(way, folder);
    try (BufferedReader out = parent.inputReader(StandardCharsets.UTF_8)) {
      String line = String.valueOf(out.readLine());
      assertTrue(line.startsWith("pids "), line);
      List<ProcessHandle> children =
          Arrays.stream(line.replaceFirst(" on .*", "").split(" ", -1))
              .skip(1)
              .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
              .toList();
      assertTrue(way.equals("exit") || way.equals("halt") || children.size() >= 3, line);
      switch (way) {
        case "killed", "child-killed", "describing" -> parent.destroyForcibly();
        case "terminated" -> parent.destroy();
        case "wrapper-killed" -> {
          // The shell is the one that is nobody's child but the program's. Its watch outlives it,
          // and the program's end is seen by that.
          parent.children().forEach(ProcessHandle::destroyForcibly);
          parent.destroyForcibly();
        }
        case "group-INT", "group-TERM", "group-KILL" ->
            signalGroup(parent, way.replace("group-", ""));
        default -> {
          // It ends of itself.
        }
      }
      assertTrue(parent.waitFor(60, TimeUnit.SECONDS));
      for (ProcessHandle child : children) {
        child.onExit().get(60, TimeUnit.SECONDS);
      }
    } finally {
      parent.destroyForcibly();
    }
    leavesNoFolder(parent);
  }

  private static Process start(String way, Path folder) throws IOException {
    QemuBinary binary = Qemus.orSkip();
    if (way.equals("child-killed")) {
      // A program that has QEMU as its child, as a wrapper script of a distribution may.
      binary = FakeQemu.shell(folder, "'%s' \"$@\" & wait".formatted(binary.path()));
    }
    ProcessBuilder builder =
        new ProcessBuilder(
                // A process group of its own, so that a signal to all of it does not end the test.
                "setsid",
                // A build in the background of a script ignores Ctrl-C, and what it starts would,
                // too.
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                HoldQemu.class.getName(),
                way)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put(QemuBinary.VARIABLE, binary.path().toString());
    return builder.start();
  }

  private static void leavesNoFolder(Process parent) throws Exception {
    if (Files.isDirectory(Path.of("/dev/shm"))) {
      try (Stream<Path> left = Files.list(Path.of("/dev/shm"))) {
        assertEquals(
            List.of(),
            left.filter(f ->
                    f.getFileName().toString().startsWith("doorbell-qemu-" + parent.pid() + "-"))
                .toList());
      }
    }
  }

  private static void signalGroup(Process leader, String signal) throws Exception {
    Process kill =
        new ProcessBuilder("/bin/sh", "-c", "kill -s %s -- -%d".formatted(signal, leader.pid()))
            .inheritIO()
            .start();
    assertEquals(0, kill.waitFor());
  }
}
