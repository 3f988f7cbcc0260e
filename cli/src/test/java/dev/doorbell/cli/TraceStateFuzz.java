package dev.doorbell.cli;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Folders of `trace --tables` of any content: each vector of a sample machine has a route, delivered or with a stop, or the folder is refused.
/// The input is the three files, with form feeds between them.
public final class TraceStateFuzz {
  private static final List<String> FILES = List.of("memory.txt", "registers.json", "devices.json");
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final Survey SURVEY =
      Survey.of(
          Firmware.read(Sysroot.open(ProjectRoot.path().resolve("samples/arm64-gicv2m-acpi"))));

  private TraceStateFuzz() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    List<byte[]> parts = parts(input);
    Path folder =
        Files.isDirectory(SHARED_MEMORY)
            ? Files.createTempDirectory(SHARED_MEMORY, "doorbell-fuzz")
            : Files.createTempDirectory("doorbell-fuzz");
    try {
      for (int i = 0; i < FILES.size(); i++) {
        Files.write(folder.resolve(FILES.get(i)), parts.get(i));
      }
      walk(OracleState.read(folder));
    } catch (UnusableInput e) {
      // What cannot be meant is refused.
      return;
    } finally {
      for (String file : FILES) {
        Files.deleteIfExists(folder.resolve(file));
      }
      Files.delete(folder);
    }
  }

  private static List<byte[]> parts(byte[] input) {
    List<byte[]> out = new ArrayList<>();
    int from = 0;
    for (int at = 0; at < input.length && out.size() < FILES.size() - 1; at++) {
      if (input[at] == '\f') {
        out.add(Arrays.copyOfRange(input, from, at));
        from = at + 1;
      }
    }
    out.add(Arrays.copyOfRange(input, from, input.length));
    while (out.size() < FILES.size()) {
      out.add("{\"devices\":[]}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    return out;
  }

  private static void walk(OracleState state) {
    RouteWalker walker = new RouteWalker(SURVEY, state);
    for (SurveyedFunction f : SURVEY.functions()) {
      Route route;
      try {
        route = walker.walk(f.sbdf(), 0);
      } catch (IndexOutOfBoundsException e) {
        // The function has no vector 0.
        continue;
      }
      if (route.delivered() == route.stoppedAt().isPresent()) {
        throw new IllegalStateException("delivered and stopped, or neither: " + route);
      }
    }
  }
}
