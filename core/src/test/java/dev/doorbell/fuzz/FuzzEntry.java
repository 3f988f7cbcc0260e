package dev.doorbell.fuzz;

import dev.doorbell.testkit.Corpus;

/// What a fuzzer calls. The target is named by the system property `doorbell.fuzz.target`.
public final class FuzzEntry {
  private static final Corpus.Target TARGET = target();

  private FuzzEntry() {}

  private static Corpus.Target target() {
    String name = System.getProperty("doorbell.fuzz.target", "");
    Corpus.Target found = FuzzTargets.all().get(name);
    if (found == null) {
      throw new IllegalArgumentException(
          "'%s' is no target; there are %s".formatted(name, FuzzTargets.all().keySet()));
    }
    return found;
  }

  /// Runs the target once.
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    TARGET.run(input);
  }
}
