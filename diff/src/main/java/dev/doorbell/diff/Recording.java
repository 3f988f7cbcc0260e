package dev.doorbell.diff;

import java.util.List;

/// A scenario that was read from a text, and where in it each step stands.
///
/// @param where names the text in a refusal
/// @param lines the number of each step's line, from 1
public record Recording(Scenario scenario, String where, List<Integer> lines) {
  public Recording {
    lines = List.copyOf(lines);
  }

  /// {@return the refusal of a step that the machines cannot perform}
  BadScript refusal(BadStep bad) {
    String text = Script.line(scenario.steps().get(bad.at()));
    return new BadScript(where, lines.get(bad.at()), text, bad.why());
  }
}
