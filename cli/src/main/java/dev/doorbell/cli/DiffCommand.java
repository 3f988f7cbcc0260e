package dev.doorbell.cli;

import dev.doorbell.address.Sizes;
import dev.doorbell.diff.BadScript;
import dev.doorbell.diff.Differential;
import dev.doorbell.diff.Hardware;
import dev.doorbell.diff.Recording;
import dev.doorbell.diff.Script;
import dev.doorbell.qemu.QemuException;
import dev.doorbell.qemu.QemuMissing;
import dev.doorbell.qemu.QemuVersion;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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
  private static final int MOST_BYTES = (int) (4 * Sizes.MIB);

  private final Console console;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--hardware",
      paramLabel = "NAME",
      defaultValue = "smmuv3",
      description =
          "smmuv3 (the default), smmuv3-full with devices that read and the SMMU's interrupts, its, gicv2m, vtd, vtd-scalable or vtd-first-stage in scalable mode by tables of one stage (QEMU 10 or later), amdvi, or riscv-iommu (QEMU 10 or later).")
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
      description =
          "Run the scenario that this file tells, instead of random ones; with --print, print it with what its steps mean.")
  private @Nullable Path replay;

  @Option(
      names = "--print",
      description =
          "Print the scenario that the seed makes for this host's QEMU (for 7.2 where there is none), and run nothing.")
  private boolean print;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  /// The seed of the scenario under way, once QEMU has started.
  private @Nullable Long running;

  DiffCommand(Console console) {
    this.console = console;
  }

  /// The document of `--print --json`.
  record Printed(String hardware, @Nullable Long seed, List<String> script) {}

  @Override
  public Integer call() {
    if (count < 1 || steps < 1 || steps > MOST_STEPS) {
      throw new UnusableInput(
          "BadArguments",
          "%d scenarios of %d steps".formatted(count, steps),
          "give --count 1 or more, and --steps 1 to " + MOST_STEPS);
    }
    Recording recorded = replay == null ? null : read(replay);
    refuseContradictions(recorded);
    Hardware what = recorded == null ? named() : recorded.scenario().hardware();
    if (print) {
      print(what, recorded);
      return ExitStatus.YES.code();
    }
    try (Differential differential = Differential.start(what, what.binary())) {
      Differential.Report report =
          recorded == null
              ? differential.run(seed, count, steps, this::begins)
              : differential.replay(recorded);
      DiffPrinter printer = new DiffPrinter(console, what.id(), differential.other());
      if (json) {
        printer.document(replay == null ? seed : null, report);
      } else {
        printer.text(report);
      }
      return (report.finding().isEmpty() ? ExitStatus.YES : ExitStatus.NO).code();
    } catch (BadScript e) {
      throw badScript(e);
    } catch (QemuException e) {
      tellSeed(what, recorded);
      throw e;
    }
  }

  /// Of a QEMU that ends or hangs the scenario matters, too.
  private void tellSeed(Hardware what, @Nullable Recording recorded) {
    if (running != null && recorded == null) {
      console
          .err()
          .println(
              "doorbell: it was in the scenario of seed %d: doorbell diff --hardware %s --seed %d --steps %d --count 1"
                  .formatted(running, what.id(), running, steps));
      console.err().flush();
    }
  }

  /// What random scenarios are chosen by says nothing of a recorded one.
  private void refuseContradictions(@Nullable Recording recorded) {
    CommandLine.ParseResult given = spec.commandLine().getParseResult();
    List<String> without = new ArrayList<>(print ? List.of("--count") : List.of());
    if (recorded != null) {
      without.addAll(List.of("--seed", "--count", "--steps"));
    }
    for (String option : without) {
      if (given.hasMatchedOption(option)) {
        throw new UnusableInput(
            "BadArguments",
            "%s means nothing beside %s"
                .formatted(option, recorded == null ? "--print" : "--replay"),
            "leave one of them out");
      }
    }
    if (recorded != null
        && given.hasMatchedOption("--hardware")
        && named() != recorded.scenario().hardware()) {
      throw new UnusableInput(
          "BadArguments",
          "--hardware %s contradicts %s, which is for hardware %s"
              .formatted(hardware, recorded.where(), recorded.scenario().hardware().id()),
          "leave --hardware out, or give the scenario's");
    }
  }

  private void print(Hardware what, @Nullable Recording recorded) {
    String script =
        recorded == null
            ? Differential.script(what, seed, steps, otherVersion(what))
            : Script.print(recorded.scenario());
    if (json) {
      Long of = recorded == null ? seed : null;
      console.line(Json.write(new Printed(what.id(), of, script.lines().toList())));
    } else {
      console.out().print(script);
    }
  }

  /// What a seed makes depends on what the other machine has.
  private static QemuVersion otherVersion(Hardware what) {
    try {
      return what.binary().version().orElse(QemuVersion.LEAST);
    } catch (QemuMissing _) {
      return QemuVersion.LEAST;
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

  private static Recording read(Path file) {
    byte[] bytes =
        NamedFile.bytes(file, MOST_BYTES, "give a scenario as --print and a difference print it");
    try {
      return Script.parse(new String(bytes, StandardCharsets.UTF_8), file.toString());
    } catch (BadScript e) {
      throw badScript(e);
    }
  }

  private static UnusableInput badScript(BadScript e) {
    return new UnusableInput(
        "BadScript", String.valueOf(e.getMessage()), "see doorbell diff --print");
  }

  private void begins(long one) {
    running = one;
    if (one % TOLD_EVERY == 0) {
      console.err().println("doorbell: seed %d begins".formatted(one));
      console.err().flush();
    }
  }
}
