package dev.doorbell.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;

/// Runs the common commands once and prints nothing, so that the build can record which classes they load.
///
/// The script `doorbell` starts it with `-XX:AOTCacheOutput`; a command that fails here is no failure of the build.
public final class Training {
  private static final String SAMPLE =
      System.getProperty("doorbell.home", ".") + "/samples/arm64-its-acpi-switch-sriov";

  private static final List<List<String>> COMMANDS =
      List.of(
          List.of("--help"),
          List.of("--version"),
          List.of("inspect", "--root", SAMPLE),
          List.of("plan", "--root", SAMPLE, "--ram", "4G", "--json"),
          List.of("assign", "--root", SAMPLE),
          List.of("assign", "--root", SAMPLE, "--json"),
          List.of("doctor"),
          List.of("doctor", "--root", SAMPLE, "--json"),
          List.of("trace", "0000:04:00.0", "--root", SAMPLE),
          List.of("trace", "0000:04:00.0", "--tables", SAMPLE + "/oracle", "--json"));

  private Training() {}

  /// Runs each command, whatever its exit status.
  public static void main(String[] args) {
    for (List<String> command : COMMANDS) {
      PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
      Main.run(nowhere, nowhere, false, command.toArray(String[]::new));
    }
  }
}
