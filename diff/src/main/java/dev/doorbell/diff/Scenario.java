package dev.doorbell.diff;

import java.util.List;

/// A sequence of steps on one kind of hardware, from whatever state it is in: it begins by setting up all that it uses.
public record Scenario(Hardware hardware, List<Step> steps) {
  public Scenario {
    steps = List.copyOf(steps);
  }

  /// {@return this with other steps}
  Scenario with(List<Step> other) {
    return new Scenario(hardware, other);
  }
}
