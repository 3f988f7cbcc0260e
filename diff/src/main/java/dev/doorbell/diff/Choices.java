package dev.doorbell.diff;

import java.util.ArrayList;
import java.util.List;

/// Goes through every combination of choices that a run makes, where a later choice may depend on earlier ones.
final class Choices {
  private final List<Integer> taken = new ArrayList<>();
  private final List<Integer> counts = new ArrayList<>();
  private int at;

  /// {@return this run's choice at its next question, 0 to count - 1}
  int choose(int count) {
    if (at == taken.size()) {
      taken.add(0);
      counts.add(count);
    }
    int choice = Math.min(taken.get(at), count - 1);
    counts.set(at, count);
    at++;
    return choice;
  }

  /// Prepares the next run.
  ///
  /// {@return whether there is one}
  boolean next() {
    while (taken.size() > at) {
      taken.removeLast();
      counts.removeLast();
    }
    at = 0;
    while (!taken.isEmpty() && taken.getLast() + 1 >= counts.getLast()) {
      taken.removeLast();
      counts.removeLast();
    }
    if (taken.isEmpty()) {
      return false;
    }
    taken.set(taken.size() - 1, taken.getLast() + 1);
    return true;
  }
}
