package dev.doorbell.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.opentest4j.TestAbortedException;

/// A statement that holds in every one of many seeded cases.
///
/// The cases of a property follow from its name, so that every run of the build tries the same ones. A failure prints
/// the seed of the case; `-Ddoorbell.seed=<that>` runs this case alone, and `-Ddoorbell.effort=<n>` tries n times as
/// many cases as the test names.
public final class Property {
  static final String SEED = "doorbell.seed";
  static final String EFFORT = "doorbell.effort";

  private Property() {}

  /// One case: throws when the property does not hold.
  @FunctionalInterface
  public interface Case {
    /// Tries the case that follows from this generator.
    ///
    /// @throws Exception when the case cannot be run; counts as a failure
    void run(SeededRandom random) throws Exception;
  }

  /// Tries so many cases, each with a generator of its own.
  ///
  /// @throws AssertionError at the first case that throws, with its seed and what it threw as the cause
  public static void check(String name, int cases, Case body) {
    String chosen = System.getProperty(SEED, "");
    if (!chosen.isEmpty()) {
      run(name, "the chosen case", parse(chosen), body);
      return;
    }
    long total = Math.multiplyExact((long) cases, Long.parseLong(System.getProperty(EFFORT, "1")));
    SeededRandom seeds = SeededRandom.of(seedOf(name));
    for (long i = 1; i <= total; i++) {
      run(name, "case " + i + " of " + total, seeds.nextLong(), body);
    }
  }

  /// {@return a shortest list found by leaving out steps, for which the predicate still holds}
  ///
  /// Leaves out halves, quarters and so on, until no single step can be left out.
  ///
  /// @throws IllegalArgumentException when the predicate does not hold for the whole list
  public static <T> List<T> fewest(List<T> steps, Predicate<List<T>> stillFails) {
    if (!stillFails.test(steps)) {
      throw new IllegalArgumentException(
          "the whole list of " + steps.size() + " steps does not fail");
    }
    List<T> kept = List.copyOf(steps);
    int chunk = Math.max(1, kept.size() / 2);
    while (true) {
      List<T> shorter = withoutOneChunk(kept, chunk, stillFails);
      if (shorter.size() < kept.size()) {
        kept = shorter;
      } else if (chunk == 1) {
        return kept;
      } else {
        chunk /= 2;
      }
    }
  }

  private static <T> List<T> withoutOneChunk(
      List<T> steps, int chunk, Predicate<List<T>> stillFails) {
    for (int from = 0; from < steps.size(); from += chunk) {
      List<T> rest = new ArrayList<>(steps.subList(0, from));
      rest.addAll(steps.subList(Math.min(steps.size(), from + chunk), steps.size()));
      if (stillFails.test(rest)) {
        return List.copyOf(rest);
      }
    }
    return steps;
  }

  private static void run(String name, String which, long seed, Case body) {
    try {
      body.run(SeededRandom.of(seed));
    } catch (TestAbortedException skipped) {
      throw skipped;
    } catch (Exception | AssertionError | StackOverflowError failure) {
      throw new AssertionError(
          "%s: %s fails; replay with -D%s=0x%x: %s".formatted(name, which, SEED, seed, failure),
          failure);
    }
  }

  private static long parse(String text) {
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2), 16)
        : Long.parseLong(text);
  }

  private static long seedOf(String name) {
    long seed = 0;
    for (int i = 0; i < name.length(); i++) {
      seed = SeededRandom.mix(seed + name.charAt(i));
    }
    return seed;
  }
}
