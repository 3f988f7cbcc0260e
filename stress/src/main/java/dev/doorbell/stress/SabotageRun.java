package dev.doorbell.stress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/// Plants each fault of the list, one at a time, and tells which test turns red: a copy of one source file is changed, compiled to a
/// folder before the others on the class path, and the fault's tests run in a process of their own. The sources stay as they are.
///
/// Arguments: the project's folder, and what names have to contain (all unless told). Ends with 1 when a fault is not noticed or cannot be planted,
/// or a test is red without one.
public final class SabotageRun {
  private static final long MOST_SECONDS = 300;

  private final Path root;
  private final Path scratch;

  private SabotageRun(Path root, Path scratch) {
    this.root = root;
    this.scratch = scratch;
  }

  /// @param args folder, and parts of names
  public static void main(String[] args) throws IOException, InterruptedException {
    Path root = Path.of(args[0]);
    List<String> wanted = List.of(args).subList(1, args.length);
    List<Sabotage> chosen =
        Sabotage.list().stream()
            .filter(s -> wanted.isEmpty() || wanted.stream().anyMatch(s.name()::contains))
            .toList();
    Path scratch = Files.createTempDirectory("doorbell-sabotage");
    try {
      System.exit(new SabotageRun(root, scratch).run(chosen) ? 0 : 1);
    } finally {
      delete(scratch);
    }
  }

  private boolean run(List<Sabotage> chosen) throws IOException, InterruptedException {
    Set<String> tests = new LinkedHashSet<>();
    chosen.forEach(s -> tests.addAll(s.testClasses()));
    Path empty = Files.createDirectory(scratch.resolve("none"));
    String without = outcome(empty, List.copyOf(tests));
    if (!without.startsWith("green")) {
      System.out.println("without any fault: " + without);
      return false;
    }
    boolean all = true;
    for (Sabotage s : chosen) {
      Path overlay = Files.createDirectory(scratch.resolve(s.name()));
      String verdict;
      try {
        compile(s, overlay);
        verdict = outcome(overlay, s.testClasses());
      } catch (IllegalStateException e) {
        verdict = "not planted: " + e.getMessage();
      }
      delete(overlay);
      boolean noticed = verdict.startsWith("red") || verdict.startsWith("hangs");
      System.out.printf(
          "| %s | %s | %s |%n", s.name(), s.what(), noticed ? verdict : "**" + verdict + "**");
      all &= noticed;
    }
    return all;
  }

  private void compile(Sabotage sabotage, Path overlay) throws IOException {
    Path source = overlay.resolve("src").resolve(sabotage.file());
    Files.createDirectories(source.getParent());
    Files.writeString(source, sabotage.applied(root));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int failed =
        compiler.run(
            null,
            null,
            null,
            "-nowarn",
            "-proc:none",
            "-cp",
            System.getProperty("java.class.path"),
            "-d",
            overlay.toString(),
            source.toString());
    if (failed != 0) {
      throw new IllegalStateException("the changed " + sabotage.file() + " does not compile");
    }
  }

  /// {@return `green`, `red:` with the first test that failed, or `hangs`}
  private String outcome(Path overlay, List<String> tests)
      throws IOException, InterruptedException {
    Path said = scratch.resolve("said");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-ea",
                "-Ddoorbell.root=" + root,
                "-cp",
                overlay + ":" + System.getProperty("java.class.path"),
                TestRun.class.getName()));
    command.addAll(tests);
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      return "hangs";
    }
    List<String> lines = Files.readAllLines(said);
    return lines.isEmpty() ? "no answer" : lines.getLast();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }
}
