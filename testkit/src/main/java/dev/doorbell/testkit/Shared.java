package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/// Captured machines and other large inputs that lie beside the project, not in it.
///
/// They are looked for in the folder that the environment variable `DOORBELL_SHARED` (or `-Ddoorbell.shared`) names,
/// otherwise in `../shared` beside the project. A test that needs what is not there skips, and says so.
public final class Shared {
  private Shared() {}

  /// {@return this file or folder below the shared folder}
  ///
  /// @throws org.opentest4j.TestAbortedException when it is not there: the test is skipped with the reason
  public static Path require(String name) {
    Path wanted = folder().resolve(name);
    if (!Files.exists(wanted)) {
      abort(
          "skipped: there is no "
              + wanted
              + "; DOORBELL_SHARED names the folder that holds "
              + name);
    }
    return wanted;
  }

  /// {@return whether this file or folder exists below the shared folder}
  public static boolean has(String name) {
    return Files.exists(folder().resolve(name));
  }

  private static Path folder() {
    String property = System.getProperty("doorbell.shared", "");
    if (!property.isEmpty()) {
      return Path.of(property).toAbsolutePath();
    }
    String variable = System.getenv().getOrDefault("DOORBELL_SHARED", "");
    return variable.isEmpty()
        ? ProjectRoot.path().resolveSibling("shared")
        : Path.of(variable).toAbsolutePath();
  }
}
