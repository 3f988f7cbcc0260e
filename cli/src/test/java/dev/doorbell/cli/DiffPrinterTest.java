package dev.doorbell.cli;

import dev.doorbell.diff.Differential;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("diff: what is printed of a run, to the letter")
class DiffPrinterTest {
  private static final Differential.Finding FOUND =
      new Differential.Finding(
          Optional.of(41L),
          7,
          "register GITS_CREADR",
          "0x40",
          "0x20",
          "hardware its\nwrite 0x8080088 8 0x40  # GITS_CWRITER\nread 0x8080090 8\n");

  private static void check(String name, @Nullable Long seed, Differential.Report report)
      throws IOException {
    StringWriter text = new StringWriter();
    StringWriter json = new StringWriter();
    printer(text, "its").text(report);
    printer(json, "its").document(seed, report);
    Golden.check("diff/" + name + ".txt", lines(text));
    Golden.check("diff/" + name + ".json", lines(json));
  }

  private static DiffPrinter printer(StringWriter out, String hardware) {
    PrintWriter writer = new PrintWriter(out, true);
    return new DiffPrinter(
        new Console(writer, new PrintWriter(new StringWriter()), false),
        hardware,
        "QEMU 10.0.2, 4 CPUs");
  }

  private static String lines(StringWriter text) {
    return text.toString().replace(System.lineSeparator(), "\n");
  }

  @Test
  @DisplayName("no difference, and nothing that is known")
  void none() throws IOException {
    check("run-none", 1L, new Differential.Report(100, 2571, Map.of(), Optional.empty()));
  }

  @Test
  @DisplayName("no difference but known ones and permitted choices, each with its sentence")
  void known() throws IOException {
    Map<String, Long> seen = new TreeMap<>();
    seen.put("its-ptz", 12L);
    seen.put("vtd-svt-reserved", 1L);
    check("run-known", 5L, new Differential.Report(1, 25, seen, Optional.empty()));
  }

  @Test
  @DisplayName("a difference: its seed and step, both sides, and the scenario")
  void difference() throws IOException {
    check("run-difference", 40L, new Differential.Report(2, 33, Map.of(), Optional.of(FOUND)));
  }

  @Test
  @DisplayName("of a recorded scenario no seed is told")
  void replayed() throws IOException {
    Differential.Finding found =
        new Differential.Finding(
            Optional.empty(), 2, FOUND.what(), FOUND.model(), FOUND.other(), FOUND.script());
    check("run-replayed", null, new Differential.Report(1, 3, Map.of(), Optional.of(found)));
  }
}
