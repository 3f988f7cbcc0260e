package dev.doorbell.arch;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.OutsideTool;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("the repository: what no file says, and the scripts at the top")
class RepositoryTest {
  /// Hosts of package registries, and folders of one person's machine. Written apart, so that this file holds none.
  private static final Pattern FORBIDDEN =
      Pattern.compile(
          String.join(
              "|",
              "repo1?\\.maven",
              "maven\\." + "org/maven2",
              "central\\." + "sonatype",
              "oss\\." + "sonatype",
              "registry\\." + "npmjs",
              "deb\\." + "debian",
              "pypi\\." + "org",
              "proxy\\." + "golang",
              "(?<![\\w.$}])/" + "(root|work)/",
              "(?<![\\w.$}])/" + "home/[a-z]"));

  private static final Set<String> SKIPPED = Set.of(".git", "target", ".cache", ".idea", "samples");

  @Test
  @DisplayName("no file names a package registry's host or a folder of somebody's machine")
  void noHostsNoMachinePaths() throws IOException {
    Set<String> wrong = new TreeSet<>();
    int files = 0;
    for (Path file : files()) {
      files++;
      String text = Files.readString(file, ISO_8859_1);
      // A file with zero bytes is data, not text.
      if (text.indexOf('\0') < 0) {
        FORBIDDEN
            .matcher(text)
            .results()
            .forEach(hit -> wrong.add(ProjectRoot.path().relativize(file) + ": " + hit.group()));
      }
    }
    assertEquals(Set.of(), wrong);
    assertTrue(files > 20, "the scan sees the project");
  }

  @Test
  @DisplayName("the scripts are executable and the shell can read them")
  void scriptsParse() throws IOException, InterruptedException {
    OutsideTool shell = OutsideTool.require("sh");
    for (String script :
        List.of("verify", "doorbell", "build/find-jdk.sh", "build/diff-slices.sh")) {
      OutsideTool.Result result = shell.run(ProjectRoot.path(), "-n", script);
      assertEquals(new OutsideTool.Result(0, "", ""), result, script);
    }
    assertTrue(Files.isExecutable(ProjectRoot.path().resolve("verify")));
    assertTrue(Files.isExecutable(ProjectRoot.path().resolve("doorbell")));
  }

  @Test
  @DisplayName("find-jdk.sh takes 25.0.3 and later, by number and not by text")
  void comparesVersions() throws IOException, InterruptedException {
    for (String version : List.of("25.0.3", "25.0.10", "25.1", "26", "26.0.1", "100.0.0")) {
      assertEquals(0, fits(version), version);
    }
    for (String version : List.of("25", "25.0.2", "24.9.9", "17.0.15", "9", "1.8.0")) {
      assertEquals(1, fits(version), version);
    }
  }

  @Test
  @DisplayName(
      "find-jdk.sh refuses a DOORBELL_JAVA_HOME that holds no fitting JDK, in one sentence")
  void refusesAnOldJdk(@TempDir Path folder) throws IOException, InterruptedException {
    OutsideTool.Result result =
        OutsideTool.require("sh")
            .run(
                ProjectRoot.path(),
                "-c",
                "DOORBELL_JAVA_HOME=\"$1\"; . build/find-jdk.sh; doorbell_find_jdk",
                "sh",
                folder.toString());
    assertEquals(1, result.status());
    assertEquals(1, result.err().lines().count(), result.err());
    assertTrue(result.err().contains("no JDK 25.0.3 or later"), result.err());
  }

  private static int fits(String version) throws IOException, InterruptedException {
    return OutsideTool.require("sh")
        .run(
            ProjectRoot.path(),
            "-c",
            "set -eu; . build/find-jdk.sh; if doorbell_version_fits \"$1\"; then exit 0; else exit 1; fi",
            "sh",
            version)
        .status();
  }

  private static List<Path> files() throws IOException {
    Path root = ProjectRoot.path();
    try (Stream<Path> found = Files.walk(root)) {
      return found
          .filter(Files::isRegularFile)
          .filter(file ->
              Stream.of(root.relativize(file).toString().split("/", -1))
                  .noneMatch(SKIPPED::contains))
          .toList();
    }
  }
}
