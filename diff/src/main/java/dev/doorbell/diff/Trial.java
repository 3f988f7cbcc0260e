package dev.doorbell.diff;

/// One scenario under way on two machines.
interface Trial {
  /// Performs a step on both and compares.
  Verdict perform(Step step);

  /// {@return the comparison of what is compared once, when the last step is done}
  Verdict end();
}
