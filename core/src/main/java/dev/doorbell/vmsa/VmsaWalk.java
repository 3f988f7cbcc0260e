package dev.doorbell.vmsa;

import java.util.List;

/// A walk with every descriptor that it read.
///
/// @param steps from the start level on, at most four
/// @param outcome how it ended
public record VmsaWalk(List<VmsaStep> steps, VmsaOutcome outcome) {
  public VmsaWalk {
    steps = List.copyOf(steps);
  }
}
