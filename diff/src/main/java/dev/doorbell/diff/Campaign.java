package dev.doorbell.diff;

import dev.doorbell.bus.BusException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// Runs scenarios on a model and another machine.
final class Campaign {
  private static final int STEPS_AT_LEAST = 1;

  private final Hardware hardware;
  private final Discipline discipline;
  private final Rig model;
  private final Rig other;
  private boolean used = true;

  Campaign(Hardware hardware, Discipline discipline, Rig model, Rig other) {
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
  record Outcome(
      int steps,
      TreeMap<String, Integer> tolerated,
      java.util.Optional<Verdict.Different> difference,
      int at) {}

  Scenario scenario(long seed, int steps) {
    return new Scenario(hardware, discipline.generate(seed, Math.max(STEPS_AT_LEAST, steps)));
  }

  void reset() {
    model.reset();
    other.reset();
    if (hardware != Hardware.GICV2M) {
      clearMemory();
    }
    used = false;
  }

  private void clearMemory() {
    model.memory().fill(Board.ARENA, Board.ARENA_BYTES, (byte) 0);
    other.memory().fill(Board.ARENA, Board.ARENA_BYTES, (byte) 0);
  }

  /// Runs a scenario, on reset machines if the last one left them different.
  Outcome run(Scenario scenario) {
    if (used) {
      reset();
    }
    TreeMap<String, Integer> tolerated = new TreeMap<>();
    Trial trial = discipline.begin(model, other);
    int at = 0;
    for (Step step : scenario.steps()) {
      Verdict verdict = trial.perform(step);
      switch (verdict) {
        case Verdict.Same() -> {}
        case Verdict.Different d -> {
          used = true;
          return new Outcome(at + 1, tolerated, java.util.Optional.of(d), at);
        }
        case Verdict.Tolerated(List<String> reasons, boolean goesOn) -> {
          reasons.forEach(r -> tolerated.merge(r, 1, Integer::sum));
          if (!goesOn) {
            used = true;
            return new Outcome(at + 1, tolerated, java.util.Optional.empty(), at);
          }
        }
      }
      at++;
    }
    Verdict verdict = trial.end();
    if (verdict instanceof Verdict.Different d) {
      used = true;
      return new Outcome(at, tolerated, java.util.Optional.of(d), at);
    }
    used = discipline.wantsReset(scenario);
    return new Outcome(at, tolerated, java.util.Optional.empty(), at);
  }

  /// {@return a shorter scenario that still shows a difference of the same kind, on reset machines}
  Scenario shrink(Scenario scenario, Verdict.Different difference) {
    List<Step> steps = new ArrayList<>(scenario.steps());
    boolean shorter = true;
    while (shorter) {
      shorter = false;
      for (int size = Math.max(1, steps.size() / 4); size >= 1; size /= 2) {
        for (int from = steps.size() - size; from >= 0; from -= size) {
          List<Step> fewer = new ArrayList<>(steps);
          fewer.subList(from, from + size).clear();
          if (shows(scenario.with(fewer), difference)) {
            steps = fewer;
            shorter = true;
            from = Math.min(from, steps.size());
          }
        }
      }
    }
    return scenario.with(steps);
  }

  private boolean shows(Scenario scenario, Verdict.Different difference) {
    used = true;
    try {
      return run(scenario).difference().filter(d -> d.kind().equals(difference.kind())).isPresent();
    } catch (BusException _) {
      // Without its set-up a step may be none that can be performed.
      used = true;
      return false;
    }
  }
}
