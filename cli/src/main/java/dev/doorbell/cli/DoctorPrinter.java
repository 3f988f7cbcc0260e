package dev.doorbell.cli;

import dev.doorbell.doctor.Diagnosis;
import dev.doorbell.doctor.Finding;
import dev.doorbell.doctor.FunctionAnswer;
import dev.doorbell.doctor.Severity;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Prints a diagnosis for people.
final class DoctorPrinter {
  private static final int MOST_NAMED = 6;
  private static final Map<Severity, String> HEADINGS = new EnumMap<>(Severity.class);

  static {
    HEADINGS.put(Severity.BLOCKS, "What blocks it");
    HEADINGS.put(Severity.UNSAFE, "What is not safe");
    HEADINGS.put(Severity.WARNS, "What you will run into");
    HEADINGS.put(Severity.UNSEEN, "Not to be seen here");
    HEADINGS.put(Severity.FINE, "As it should be");
  }

  private final Console console;

  DoctorPrinter(Console console) {
    this.console = console;
  }

  void print(Diagnosis d) {
    String verdict = d.verdict().toString();
    console.line(d.verdict().answer() == Answer.NO ? console.bad(verdict) : console.good(verdict));
    functions(d.functions());
    HEADINGS.forEach((severity, heading) -> findings(d.findings(), severity, heading));
    next(d.functions());
  }

  private void functions(List<FunctionAnswer> functions) {
    if (functions.isEmpty()) {
      return;
    }
    console.heading("Functions");
    Table t = new Table("function", "group", "driver", "answer");
    for (FunctionAnswer f : functions) {
      t.row(
          f.sbdf(),
          f.group().map(String::valueOf).orElse("-"),
          f.driver().orElse("-"),
          Json.name(f.answer()));
    }
    t.print(console);
  }

  private void findings(List<Finding> all, Severity severity, String heading) {
    List<Finding> some = all.stream().filter(f -> f.severity() == severity).toList();
    if (some.isEmpty()) {
      return;
    }
    console.heading(heading);
    for (Finding f : some) {
      console.line("  %s  %s".formatted(f.message(), console.faint(f.source().toString())));
      if (!f.functions().isEmpty()) {
        console.line("    for: " + names(f.functions()));
      }
      f.cure().ifPresent(c -> console.line("    cure: " + c));
    }
  }

  /// For the function that costs the host least: one with a plain yes and no driver, where there is such a one.
  private void next(List<FunctionAnswer> functions) {
    functions.stream()
        .filter(f -> f.next().isPresent())
        .min(
            Comparator.comparing((FunctionAnswer f) -> f.answer() != Answer.YES)
                .thenComparing(f -> f.driver().isPresent()))
        .ifPresent(f -> {
          String taken =
              f.driver()
                  .map(d -> ", which takes it from %s and stops what uses it".formatted(d))
                  .orElse("");
          console.heading("Next, as root, for %s%s".formatted(f.sbdf(), taken));
          console.line("  " + f.next().orElseThrow());
        });
  }

  private static String names(List<Sbdf> functions) {
    String first =
        functions.stream().limit(MOST_NAMED).map(Sbdf::toString).collect(Collectors.joining(" "));
    return functions.size() <= MOST_NAMED
        ? first
        : "%s and %d more".formatted(first, functions.size() - MOST_NAMED);
  }
}
