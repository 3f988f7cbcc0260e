package dev.doorbell.testkit;

import java.nio.file.Files;
import java.nio.file.Path;

/// Where the project lies on this machine.
public final class ProjectRoot {
  private ProjectRoot() {}

  /// {@return the folder that holds the root `pom.xml` and the script `verify`}
  ///
  /// The build says it (`-Ddoorbell.root`); a test started by hand looks upwards from the current folder.
  ///
  /// @throws IllegalStateException when there is none above the current folder
  public static Path path() {
    String said = System.getProperty("doorbell.root", "");
    if (!said.isEmpty()) {
      return Path.of(said).toAbsolutePath().normalize();
    }
    Path here = Path.of("").toAbsolutePath();
    for (Path folder = here; folder != null; folder = folder.getParent()) {
      if (Files.isRegularFile(folder.resolve("verify"))
          && Files.isRegularFile(folder.resolve("pom.xml"))) {
        return folder;
      }
    }
    throw new IllegalStateException(
        "no folder above "
            + here
            + " holds pom.xml and verify; run the test in the project or set doorbell.root");
  }

  /// {@return the folder of the Maven module whose tests run}
  public static Path module() {
    return Path.of(System.getProperty("basedir", "")).toAbsolutePath();
  }
}
