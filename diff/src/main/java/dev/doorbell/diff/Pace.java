package dev.doorbell.diff;

/// When two machines are compared.
enum Pace {
  /// Everything after each step: the first difference is known at once.
  STEPWISE,
  /// The other machine is sent the whole scenario at once. What changes most is looked at after each step, everything at the end. One wait
  /// for the other machine instead of one a step.
  AHEAD
}
