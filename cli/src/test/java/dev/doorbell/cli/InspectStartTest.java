package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a small `inspect` waits for before it prints. Classes that no cache can hold, and a mapper that nobody asked for, once were two thirds of its time
/// (`docs/performance.md`).
final class InspectStartTest {
  private static final List<String> SLOW =
      List.of(
          "java.lang.runtime.ObjectMethods ",
          "$$TypeSwitch/",
          "java.io.Console ",
          "tools.jackson.databind.ObjectMapper ",
          "jdk.internal.logger.LazyLoggers ");

  @TempDir Path folder;

  @Test
  void theFunctionsOfADumpArePrintedWithoutWhatIsSlowToStart() throws Exception {
    assertEquals(List.of(), loadedFor("no"));
  }

  @Test
  void theScriptsWordOfATerminalIsTaken() throws Exception {
    assertEquals(List.of(), loadedFor("yes"));
    String printed = Files.readString(folder.resolve("printed.txt"), StandardCharsets.UTF_8);
    assertTrue(printed.contains("\u001b["), printed);
  }

  @Test
  void theDocumentOfTheSameDumpNeedsTheMapper() throws Exception {
    assertEquals(List.of("tools.jackson.databind.ObjectMapper "), loadedFor("no", "--json"));
  }

  private List<String> loadedFor(String terminal, String... more)
      throws IOException, InterruptedException {
    Path dump = folder.resolve("dump.txt");
    Files.writeString(
        dump,
        """
        01:00.0 Ethernet controller: a function
        00: 86 80 d3 10 06 00 10 00 00 00 00 02 00 00 00 00
        10: 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00
        20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """);
    Path loads = folder.resolve("loads.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command(dump, loads, terminal, more))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("printed.txt").toFile());
    builder.environment().remove("NO_COLOR");
    Process process = builder.start();
    int status = process.waitFor();
    String printed = Files.readString(folder.resolve("printed.txt"), StandardCharsets.UTF_8);
    assertEquals(0, status, printed);
    assertTrue(printed.contains("0000:01:00.0"), printed);
    String loaded = Files.readString(loads, StandardCharsets.UTF_8);
    assertTrue(loaded.contains("dev.doorbell.firmware.LspciDump "), "the log names no classes");
    return SLOW.stream().filter(loaded::contains).toList();
  }

  private static List<String> command(Path dump, Path loads, String terminal, String... more) {
    List<String> out =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xlog:class+load:file=" + loads,
                "--enable-native-access=ALL-UNNAMED",
                "-Ddoorbell.terminal=" + terminal,
                "-cp",
                System.getProperty("java.class.path"),
                "dev.doorbell.cli.Main",
                "inspect",
                "--root",
                dump.toString()));
    out.addAll(List.of(more));
    return out;
  }
}
