package dev.doorbell.cli;

import dev.doorbell.diff.BadScript;
import dev.doorbell.diff.Differential;
import dev.doorbell.diff.Hardware;
import dev.doorbell.diff.KnownDifferences;
import dev.doorbell.diff.Scenario;
import dev.doorbell.diff.Script;
import dev.doorbell.qemu.QemuBinary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `doorbell diff`.
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    description = {
      "Run random or recorded scenarios on Doorbell's model and on QEMU's device, and print the first difference that software can see.",
      "A scenario is a sequence of register accesses, table entries (valid and broken), commands (legal and illegal) and device messages,"
          + " made of its seed alone. After each step registers, tables, event records and interrupts are compared. Where the architecture"
          + " permits several outcomes, each must be one of them. Differences that are settled (docs/qemu-differences.md) are counted by name."
    },
    footer = {
      "",
      "Exit status: 0 no difference but known ones, 1 a difference, 2 arguments or input that cannot be used, or no QEMU.",
      "",
      "Examples:",
      "  doorbell diff",
      "  doorbell diff --hardware its --seed 1 --count 1000",
      "  doorbell diff --seed 7 --print > scenario.txt",
      "  doorbell diff --replay scenario.txt"
    })
final class DiffCommand implements Callable<Integer> {
  private static final int MOST_STEPS = 1000;
  private static final long TOLD_EVERY = 1000;

  private final Console console;

  @Option(
      names = "--hardware",
      paramLabel = "NAME",
      defaultValue = "smmuv3",
      description =
          "smmuv3 (the default), smmuv3-full with devices that read and the SMMU's interrupts, its, or gicv2m.")
  private String hardware = "smmuv3";

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The first scenario's seed. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "100",
      description = "How many scenarios, of consecutive seeds. Default: ${DEFAULT-VALUE}.")
  private long count;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "25",
      description =
          "About how many steps follow a scenario's set-up, 1 to 1000. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--replay",
      paramLabel = "FILE",
      description = "Run the scenario that this file tells, instead of random ones.")
  private @Nullable Path replay;

  @Option(names = "--print", description = "Print the scenario of the seed, and run nothing.")
  private boolean print;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  DiffCommand(Console console) {
    this.console = console;
  }

  /// The document of `--json`.
  record View(
      String hardware,
      String other,
      long seed,
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

  @Override
  public Integer call() {
    if (count < 1 || steps < 1 || steps > MOST_STEPS) {
      throw new UnusableInput(
          "BadArguments",
          "%d scenarios of %d steps".formatted(count, steps),
          "give --count 1 or more, and --steps 1 to " + MOST_STEPS);
    }
    Scenario recorded = replay == null ? null : read(replay);
    Hardware what = recorded == null ? named() : recorded.hardware();
    if (print) {
      console.out().print(Differential.script(what, seed, steps));
      return ExitStatus.YES.code();
    }
    try (Differential differential = Differential.start(what, QemuBinary.arm())) {
      Differential.Report report =
          recorded == null
              ? differential.run(seed, count, steps, this::progress)
              : differential.replay(recorded, String.valueOf(replay));
      show(what, differential.other(), report);
      return (report.finding().isEmpty() ? ExitStatus.YES : ExitStatus.NO).code();
    } catch (BadScript e) {
      throw new UnusableInput(
          "BadScript", String.valueOf(e.getMessage()), "see doorbell diff --print");
    }
  }

  private Hardware named() {
    return Hardware.of(hardware)
        .orElseThrow(() ->
            new UnusableInput(
                "NoSuchHardware",
                "no hardware is called '%s'".formatted(hardware),
                "give --hardware " + Hardware.names().replace("|", ", ")));
  }

  private static Scenario read(Path file) {
    try {
      return Script.parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw new UnusableInput(
          "UnreadableFile", "%s cannot be read: %s".formatted(file, e), "give a file of text");
    } catch (BadScript e) {
      throw new UnusableInput(
          "BadScript", String.valueOf(e.getMessage()), "see doorbell diff --print");
    }
  }

  private void progress(long done) {
    if ((done + 1) % TOLD_EVERY == 0) {
      console.err().println("doorbell: seed %d is done".formatted(done));
      console.err().flush();
    }
  }

  private void show(Hardware what, String other, Differential.Report report) {
    if (json) {
      FindingView finding = report.finding().map(FindingView::of).orElse(null);
      console.line(
          Json.write(
              new View(
                  what.id(),
                  other,
                  seed,
                  report.scenarios(),
                  report.steps(),
                  report.tolerated(),
                  finding)));
      return;
    }
    console.line(
        "%s: the model and %s, %d scenarios, %d steps"
            .formatted(what.id(), other, report.scenarios(), report.steps()));
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
