package dev.doorbell.cli;

import dev.doorbell.diff.Differential;
import dev.doorbell.diff.KnownDifferences;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What `diff` prints of a run.
///
/// @param hardware that was compared
/// @param other the machine beside the model
record DiffPrinter(Console console, String hardware, String other) {
  /// The document of `--json`.
  record View(
      String hardware,
      String other,
      @Nullable Long seed,
      long scenarios,
      long steps,
      Map<String, Long> known,
      @Nullable FindingView difference) {}

  /// A difference in the document.
  record FindingView(
      @Nullable Long seed, int step, String what, String model, String other, List<String> script) {
    static FindingView of(Differential.Finding f) {
      return new FindingView(
          f.seed().orElse(null),
          f.step(),
          f.what(),
          f.model(),
          f.other(),
          f.script().lines().toList());
    }
  }

  /// Prints the document.
  ///
  /// @param seed the first scenario's; null of a recorded one
  void document(@Nullable Long seed, Differential.Report report) {
    console.line(
        Json.write(
            new View(
                hardware,
                other,
                seed,
                report.scenarios(),
                report.steps(),
                report.tolerated(),
                report.finding().map(FindingView::of).orElse(null))));
  }

  /// Prints what people read.
  void text(Differential.Report report) {
    console.line(
        "%s: the model and %s, %d scenario%s, %d steps"
            .formatted(
                hardware,
                other,
                report.scenarios(),
                report.scenarios() == 1 ? "" : "s",
                report.steps()));
    if (!report.tolerated().isEmpty()) {
      console.heading("known differences and permitted choices (docs/qemu-differences.md)");
      Table table = new Table("name", "seen", "what");
      report
          .tolerated()
          .forEach((name, n) -> table.row(name, Long.toString(n), KnownDifferences.told(name)));
      table.print(console);
    }
    console.blank();
    report.finding().ifPresentOrElse(this::show, () -> console.line(console.good("no difference")));
  }

  private void show(Differential.Finding f) {
    String of = f.seed().map(s -> "seed %d, ".formatted(s)).orElse("");
    console.line(console.bad("difference: %sstep %d: %s".formatted(of, f.step(), f.what())));
    console.line("  model: " + f.model());
    console.line("  QEMU:  " + f.other());
    console.heading("a scenario that shows it (for --replay)");
    console.out().print(f.script());
  }
}
