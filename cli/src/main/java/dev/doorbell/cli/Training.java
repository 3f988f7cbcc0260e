package dev.doorbell.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Runs the common commands once and prints nothing, so that the build can record which classes they load.
///
/// The script `doorbell` starts it with `-XX:AOTCacheOutput`; a command that fails here is no failure of the build.
public final class Training {
  private static final String SAMPLE =
      System.getProperty("doorbell.home", ".") + "/samples/arm64-its-acpi-switch-sriov";
  private static final int LINE_BYTES = 16;

  private Training() {}

  private static List<List<String>> commands(String dump) {
    return List.of(
        List.of("--help"),
        List.of("--version"),
        List.of("inspect", "--root", SAMPLE),
        List.of("inspect", "--root", SAMPLE, "--json"),
        List.of("inspect", "--root", dump),
        List.of("inspect", "--root", dump, "--with", "0000:01:00.0,msix=2"),
        List.of("plan", "--root", SAMPLE, "--ram", "4G", "--json"),
        List.of("plan", "0000:04:00.0", "--root", dump),
        List.of("assign", "--root", SAMPLE),
        List.of("assign", "--root", SAMPLE, "--json"),
        List.of("doctor"),
        List.of("doctor", "--root", SAMPLE, "--json"),
        List.of("trace", "0000:04:00.0", "--root", SAMPLE),
        List.of("trace", "0000:04:00.0", "--tables", SAMPLE + "/oracle", "--json"));
  }

  /// What most calls of the most common command load, and nothing else: all that a cache holds is made ready at each start.
  private static List<List<String>> inspect(Path dump) {
    return List.of(
        List.of("inspect", "--root", SAMPLE), List.of("inspect", "--root", dump.toString()));
  }

  /// Runs each command, whatever its exit status.
  ///
  /// @param args empty for all commands; any for `inspect`, as it is called for people and with no rare options
  public static void main(String[] args) throws IOException {
    Path dump = Files.createTempFile("doorbell", ".lspci");
    try {
      Files.writeString(dump, dump());
      for (List<String> command : args.length == 0 ? commands(dump.toString()) : inspect(dump)) {
        Main.process(
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream(),
            command.toArray(String[]::new));
      }
    } finally {
      Files.delete(dump);
    }
  }

  /// {@return one function of the sample as `lspci -xxxx` prints it}
  private static String dump() throws IOException {
    byte[] config = Files.readAllBytes(Path.of(SAMPLE, "sys/bus/pci/devices/0000:04:00.0/config"));
    StringBuilder out = new StringBuilder("04:00.0 Ethernet controller: of the sample\n");
    for (int at = 0; at < config.length; at += LINE_BYTES) {
      out.append("%02x:".formatted(at));
      for (int i = at; i < Math.min(at + LINE_BYTES, config.length); i++) {
        out.append(" %02x".formatted(config[i]));
      }
      out.append('\n');
    }
    return out.toString();
  }
}
