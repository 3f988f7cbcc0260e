package dev.doorbell.diff;

import java.util.List;

/// What a comparison of two machines after one step says.
sealed interface Verdict {
  /// Software sees the same.
  record Same() implements Verdict {}

  /// Software sees different things, for reasons that are known.
  ///
  /// @param reasons names of known differences, or of what the architecture leaves open
  /// @param goesOn whether the two can still be compared
  record Tolerated(List<String> reasons, boolean goesOn) implements Verdict {
    public Tolerated {
      reasons = List.copyOf(reasons);
    }
  }

  /// Software sees different things.
  ///
  /// @param what the register, table, record or interrupt
  /// @param model on Doorbell's model
  /// @param other on the other machine
  record Different(String what, String model, String other) implements Verdict {
    /// {@return this without its numbers}
    String kind() {
      return "%s: %s / %s"
          .formatted(what, model, other)
          .replaceAll("0x[0-9a-f]+", "0x")
          .replaceAll("\\[.*?\\]", "");
    }
  }

  /// The other machine does not differ as it was expected to; only a run step by step can tell.
  record Unclear() implements Verdict {}

  Verdict SAME = new Same();
}
