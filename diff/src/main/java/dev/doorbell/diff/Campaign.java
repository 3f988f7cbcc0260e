package dev.doorbell.diff;

import dev.doorbell.bus.BusException;
import dev.doorbell.qemu.QemuException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Runs scenarios on a model and another machine.
///
/// @param <M> the machine of models
final class Campaign<M extends Rig> {
  private static final int STEPS_AT_LEAST = 1;

  private final Hardware hardware;
  private final Discipline<M> discipline;
  private final M model;
  private final Rig other;
  private boolean used = true;

  Campaign(Hardware hardware, Discipline<M> discipline, M model, Rig other) {
    this.hardware = hardware;
    this.discipline = discipline;
    this.model = model;
    this.other = other;
  }

  /// What became of one scenario.
  ///
  /// @param steps how many were performed
  /// @param tolerated how often a difference was seen that may be, by its name
  /// @param difference the first that may not be
  /// @param at the step that showed it, from 0
  /// @param parted whether the machines were not alike any more behind that step
  /// @param unclear whether only a slower run can tell
  /// @param forgiven steps that showed a difference that may be
  record Outcome(
      int steps,
      TreeMap<String, Integer> tolerated,
      Optional<Verdict.Different> difference,
      int at,
      boolean parted,
      boolean unclear,
      Set<Integer> forgiven) {
    /// {@return whether what a run ahead saw at a step is settled by this one}
    boolean settles(int step) {
      return parted || forgiven.contains(step);
    }
  }

  Scenario scenario(long seed, int steps) {
    return new Scenario(hardware, discipline.generate(seed, Math.max(STEPS_AT_LEAST, steps)));
  }

  void reset() {
    model.reset();
    other.reset();
    discipline.clear(model.memory());
    discipline.clear(other.memory());
    used = false;
  }

  /// Runs a scenario, on reset machines if the last one left them different.
  Outcome run(Scenario scenario) {
    List<Pace> paces = discipline.paces();
    Outcome outcome = run(scenario, paces.getFirst());
    for (Pace pace : paces.subList(1, paces.size())) {
      if (outcome.unclear()) {
        outcome = run(scenario, pace);
      } else if (outcome.difference().isPresent()) {
        // Slower, it is found at the step that makes it, and may be a known one. Should it not show
        // then, it still was one.
        Outcome closer = run(scenario, pace);
        outcome = closer.settles(outcome.at()) ? closer : outcome;
      }
    }
    return outcome;
  }

  private Outcome run(Scenario scenario, Pace pace) {
    if (used) {
      reset();
    }
    used = true;
    Tally tally = new Tally();
    Trial trial = discipline.begin(model, other, pace);
    int at = 0;
    for (Step step : scenario.steps()) {
      if (!tally.goesOn(at, performed(trial, at, step))) {
        return tally.outcome(at + 1);
      }
      at++;
    }
    for (Trial.Late late : trial.end()) {
      if (!tally.goesOn(late.at(), late.verdict())) {
        return tally.outcome(late.at() + 1);
      }
    }
    used = discipline.wantsReset(scenario);
    return tally.outcome(at);
  }

  private Verdict performed(Trial trial, int at, Step step) {
    try {
      requireWhole(step);
      return trial.perform(at, step);
    } catch (BusException | IllegalArgumentException e) {
      throw new BadStep(at, step, e);
    }
  }

  /// A command of another number of words than the hardware's leaves in the queue what no driver writes, and the two machines need not read that alike.
  private void requireWhole(Step step) {
    int due = discipline.commandWords();
    if (due != 0 && step instanceof Step.Command(List<Long> words) && words.size() != due) {
      throw new IllegalArgumentException(
          "a command of %s has %d words, not %d".formatted(hardware.id(), due, words.size()));
    }
  }

  /// What the verdicts of a scenario come to.
  private static final class Tally {
    private final TreeMap<String, Integer> tolerated = new TreeMap<>();
    private Optional<Verdict.Different> difference = Optional.empty();
    private int at;
    private boolean parted;
    private boolean unclear;
    private final Set<Integer> forgiven = new HashSet<>();

    /// {@return whether the machines are alike still}
    boolean goesOn(int step, Verdict verdict) {
      at = step;
      switch (verdict) {
        case Verdict.Same() -> {}
        case Verdict.Different d -> {
          difference = Optional.of(d);
          parted = true;
        }
        case Verdict.Unclear() -> {
          unclear = true;
          parted = true;
        }
        case Verdict.Tolerated(List<String> reasons, boolean on) -> {
          reasons.forEach(r -> tolerated.merge(r, 1, Integer::sum));
          parted = !on;
          forgiven.add(step);
        }
      }
      return !parted;
    }

    Outcome outcome(int steps) {
      return new Outcome(steps, tolerated, difference, at, parted, unclear, forgiven);
    }
  }

  /// {@return a shorter scenario that still shows a difference of the same kind, on reset machines} Where QEMU ends over what a shorter one lacks
  /// (its set-up, for one), that which showed the difference last.
  Scenario shrink(Scenario scenario, Verdict.Different difference) {
    List<Step> steps = new ArrayList<>(scenario.steps());
    try {
      shrink(scenario, steps, difference);
    } catch (QemuException _) {
      // What is left shows the difference, which is what matters.
    }
    return scenario.with(steps);
  }

  private void shrink(Scenario scenario, List<Step> steps, Verdict.Different difference) {
    boolean shorter = true;
    while (shorter) {
      shorter = false;
      for (int size = Math.max(1, steps.size() / 4); size >= 1; size /= 2) {
        for (int from = steps.size() - size; from >= 0; from -= size) {
          List<Step> fewer = new ArrayList<>(steps);
          fewer.subList(from, from + size).clear();
          if (shows(scenario.with(fewer), difference)) {
            steps.subList(from, from + size).clear();
            shorter = true;
            from = Math.min(from, steps.size());
          }
        }
      }
    }
  }

  private boolean shows(Scenario scenario, Verdict.Different difference) {
    used = true;
    try {
      return run(scenario).difference().filter(d -> d.kind().equals(difference.kind())).isPresent();
    } catch (BadStep _) {
      // Without its set-up a step may be none that can be performed.
      used = true;
      return false;
    }
  }
}
