package dev.doorbell.cli;

import dev.doorbell.bench.BenchmarkBusy;
import dev.doorbell.bench.ShortRun;
import dev.doorbell.bench.ShortRun.Effort;
import dev.doorbell.bench.ShortRun.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doorbell bench`.
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measure the hot paths in a short form: IOVA allocation, translation, and MSIs from the device's write to the pending LPI.",
      "It runs in this one process (JMH without forks), so works influence each other a little: compare ratios, and see"
          + " docs/performance.md for the long form."
    },
    footer = {
      "",
      "Examples:",
      "  doorbell bench",
      "  doorbell bench msi",
      "  doorbell bench --json translate"
    })
final class BenchCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      arity = "0..*",
      paramLabel = "WORK",
      description = "Only works whose name or variant holds this text.")
  private List<String> filters = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Option(names = "--list", description = "Print the works, and measure nothing.")
  private boolean list;

  @Option(
      names = "--milliseconds",
      paramLabel = "N",
      defaultValue = "300",
      description = "Length of each of 3 warm-up and 3 measured iterations, 1 to 60000.")
  private int milliseconds;

  BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    String filter = String.join(" ", filters);
    List<String> names = ShortRun.names(filter);
    if (names.isEmpty()) {
      throw new UnusableInput(
          "NoSuchWork", "no work's name holds '%s'".formatted(filter), "see doorbell bench --list");
    }
    if (milliseconds < 1 || milliseconds > 60_000) {
      throw new UnusableInput(
          "BadArguments",
          "an iteration of %d ms".formatted(milliseconds),
          "give --milliseconds 1 to 60000");
    }
    if (list) {
      if (json) {
        console.line(Json.write(names));
      } else {
        names.forEach(console::line);
      }
      return ExitStatus.YES.code();
    }
    Effort effort = new Effort(Effort.SHORT.warmups(), Effort.SHORT.iterations(), milliseconds);
    List<Row> rows;
    try {
      rows = ShortRun.run(filter, effort, line -> console.err().println(line));
    } catch (BenchmarkBusy e) {
      throw new UnusableInput(
          "BenchmarkBusy",
          "another run of benchmarks has this machine's lock",
          "wait until it has ended: two at once would measure each other");
    }
    if (json) {
      console.line(Json.write(rows.stream().map(BenchCommand::rounded).toList()));
    } else {
      print(console, rows);
    }
    return ExitStatus.YES.code();
  }

  static void print(Console console, List<Row> rows) {
    Table table = new Table("work", "variant", "ns/op", "bytes/op");
    for (Row row : rows) {
      table.row(
          row.work(),
          row.variant(),
          String.format(Locale.ROOT, "%9.1f", row.nsPerOp()),
          String.format(Locale.ROOT, "%8.2f", row.bytesPerOp()));
    }
    table.print(console);
  }

  /// A hundredth of a nanosecond or of a byte is less than the measurement can tell.
  private static Row rounded(Row row) {
    return new Row(
        row.work(),
        row.variant(),
        Math.round(row.nsPerOp() * 100) / 100.0,
        Math.round(row.bytesPerOp() * 100) / 100.0);
  }
}
