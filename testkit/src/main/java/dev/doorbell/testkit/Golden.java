package dev.doorbell.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Compares printed text with a file under `src/test/resources/golden` of the module whose tests run.
///
/// `-Ddoorbell.golden=write` writes the files instead; the change then shows in the diff of the commit.
public final class Golden {
  private Golden() {}

  /// Holds when the golden file has exactly this text.
  ///
  /// @param file path below `src/test/resources/golden`, such as `inspect/two-its.txt`
  /// @throws AssertionError when the text differs (with the lines that do) or there is no such file
  /// @throws IOException when the file exists and cannot be read, or cannot be written
  public static void check(String file, String actual) throws IOException {
    check(ProjectRoot.module().resolve("src/test/resources/golden"), file, actual);
  }

  static void check(Path folder, String file, String actual) throws IOException {
    Path golden = folder.resolve(file).normalize();
    if (!golden.startsWith(folder)) {
      throw new IllegalArgumentException("golden file " + file + " lies outside " + folder);
    }
    if (System.getProperty("doorbell.golden", "").equals("write")) {
      Path parent = golden.getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.writeString(golden, actual, UTF_8);
      return;
    }
    if (!Files.isRegularFile(golden)) {
      throw new AssertionError(
          "there is no golden file %s; -Ddoorbell.golden=write makes it from:\n%s"
              .formatted(golden, actual));
    }
    String diff = LineDiff.of(Files.readString(golden, UTF_8), actual);
    if (!diff.isEmpty()) {
      throw new AssertionError(
          "%s differs %s-Ddoorbell.golden=write takes the new text".formatted(golden, diff));
    }
  }
}
