package dev.doorbell.diff;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/// One kind of hardware of Doorbell's models beside QEMU's, ready for scenarios. QEMU runs until this is closed.
///
/// A scenario is made of its seed alone: seed and number of steps give it again. For one thread.
public final class Differential implements AutoCloseable {
  private final Hardware hardware;
  private final Rig other;
  private final Campaign<?> campaign;

  private Differential(Hardware hardware, Campaign<?> campaign, Rig other) {
    this.hardware = hardware;
    this.other = other;
    this.campaign = campaign;
  }

  /// What some scenarios showed.
  ///
  /// @param scenarios how many ran
  /// @param steps performed
  /// @param tolerated how often a difference was seen that is known or permitted, by its name
  /// @param finding the first difference that is neither
  public record Report(
      long scenarios, long steps, Map<String, Long> tolerated, Optional<Finding> finding) {}

  /// A difference, and how to see it again.
  ///
  /// @param seed of the scenario, where it was made of one
  /// @param step which step showed it, from 0
  /// @param what the register, table, record or interrupt
  /// @param model what Doorbell's model showed
  /// @param other what QEMU showed
  /// @param script a scenario as short as could be found that shows it, as {@link Script} prints it
  public record Finding(
      Optional<Long> seed, int step, String what, String model, String other, String script) {}

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it is missing, too old, or does not start
  public static Differential start(Hardware hardware, QemuBinary binary) {
    QemuMachine rig = hardware.family().start(binary);
    boolean done = false;
    try {
      Differential made = with(hardware, rig.version(), rig);
      done = true;
      return made;
    } finally {
      if (!done) {
        rig.close();
      }
    }
  }

  /// {@return a comparison with any other machine}
  static Differential with(Hardware hardware, Rig other) {
    return with(hardware, SmmuDialect.QEMU_7_2, other);
  }

  /// {@return a comparison with any other machine}
  ///
  /// @param dialect of its SMMU
  static Differential with(Hardware hardware, SmmuDialect dialect, Rig other) {
    return new Differential(
        hardware,
        new Campaign<>(
            hardware,
            new ArmFamily(hardware).discipline(dialect),
            new ModelRig(hardware, dialect.features()),
            other),
        other);
  }

  /// {@return a comparison with any other machine}
  ///
  /// @param version whose differences that machine shows
  static Differential with(Hardware hardware, QemuVersion version, Rig other) {
    return new Differential(hardware, campaign(hardware, hardware.family(), version, other), other);
  }

  private static <M extends Rig> Campaign<M> campaign(
      Hardware hardware, Family<M> family, QemuVersion version, Rig other) {
    return new Campaign<>(hardware, family.discipline(version), family.model(version), other);
  }

  /// {@return the other machine's name and version}
  public String other() {
    return other.name();
  }

  /// {@return the text of the scenario that a seed makes for QEMU 7.2}
  public static String script(Hardware hardware, long seed, int steps) {
    return script(hardware, seed, steps, QemuVersion.LEAST);
  }

  /// {@return the text of the scenario that a seed makes for a QEMU}
  public static String script(Hardware hardware, long seed, int steps, QemuVersion version) {
    Discipline<?> discipline = hardware.family().discipline(version);
    return Script.print(new Scenario(hardware, discipline.generate(seed, steps)));
  }

  /// Runs scenarios of consecutive seeds, until one shows a difference.
  ///
  /// @param steps about how many follow each scenario's set-up, at least 1
  /// @param begins hears of each seed before its scenario runs
  public Report run(long firstSeed, long count, int steps, LongConsumer begins) {
    Map<String, Long> tolerated = new TreeMap<>();
    long performed = 0;
    for (long i = 0; i < count; i++) {
      long seed = firstSeed + i;
      begins.accept(seed);
      Scenario scenario = campaign.scenario(seed, steps);
      Campaign.Outcome outcome = campaign.run(scenario);
      performed += outcome.steps();
      outcome.tolerated().forEach((name, n) -> tolerated.merge(name, (long) n, Long::sum));
      if (outcome.difference().isPresent()) {
        Finding finding = finding(Optional.of(seed), scenario, outcome);
        return new Report(i + 1, performed, tolerated, Optional.of(finding));
      }
    }
    return new Report(count, performed, tolerated, Optional.empty());
  }

  /// Runs a recorded scenario on reset machines.
  ///
  /// @throws BadScript when it is for other hardware, or a step is none that these machines can perform
  public Report replay(Recording recording) {
    Scenario scenario = recording.scenario();
    if (scenario.hardware() != hardware) {
      throw new BadScript(
          recording.where(),
          1,
          "hardware " + scenario.hardware().id(),
          "this run compares " + hardware.id());
    }
    campaign.reset();
    Campaign.Outcome outcome;
    try {
      outcome = campaign.run(scenario);
    } catch (BadStep e) {
      throw recording.refusal(e);
    }
    Map<String, Long> tolerated = new TreeMap<>();
    outcome.tolerated().forEach((name, n) -> tolerated.merge(name, (long) n, Long::sum));
    return new Report(
        1,
        outcome.steps(),
        tolerated,
        outcome.difference().map(d -> finding(Optional.empty(), scenario, outcome)));
  }

  private Finding finding(Optional<Long> seed, Scenario scenario, Campaign.Outcome outcome) {
    Verdict.Different d = outcome.difference().orElseThrow();
    int end = Math.min(outcome.at() + 1, scenario.steps().size());
    Scenario upTo = scenario.with(scenario.steps().subList(0, end));
    String script = Script.print(campaign.shrink(upTo, d));
    return new Finding(seed, outcome.at(), d.what(), d.model(), d.other(), script);
  }

  @Override
  public void close() {
    other.close();
  }
}
