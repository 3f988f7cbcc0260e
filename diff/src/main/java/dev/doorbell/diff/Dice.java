package dev.doorbell.diff;

import java.util.List;
import java.util.SplittableRandom;

/// Chance, from a seed.
final class Dice {
  private static final int PERCENT = 100;
  private final SplittableRandom random;

  Dice(long seed) {
    random = new SplittableRandom(seed);
  }

  /// {@return 0 to bound - 1}
  int below(int bound) {
    return random.nextInt(bound);
  }

  /// {@return first to last}
  int from(int first, int last) {
    return random.nextInt(first, last + 1);
  }

  boolean percent(int chance) {
    return random.nextInt(PERCENT) < chance;
  }

  /// {@return a number of some bits}
  long bits(int count) {
    return count == 0 ? 0 : random.nextLong() >>> (Long.SIZE - count);
  }

  <T> T of(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  int of(int... choices) {
    return choices[random.nextInt(choices.length)];
  }
}
