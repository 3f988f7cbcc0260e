package dev.doorbell.diff;

import java.util.List;

/// One scenario under way on two machines.
interface Trial {
  /// Performs a step on both, and compares now or at the end.
  ///
  /// @param at the step's number, from 0
  Verdict perform(int at, Step step);

  /// {@return what was not compared before, in the order of the steps}
  default List<Late> end() {
    return List.of();
  }

  /// What a comparison says after its step.
  ///
  /// @param at the step's number
  record Late(int at, Verdict verdict) {}
}
