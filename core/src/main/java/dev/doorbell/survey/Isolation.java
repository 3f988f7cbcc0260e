package dev.doorbell.survey;

import dev.doorbell.explain.Source;

/// Whether what a group's functions write can raise none but their own vectors.
///
/// @param because the deciding fact
/// @param source where it was read
public record Isolation(State state, String because, Source source) {
  /// The answer.
  public enum State {
    YES,
    NO,
    /// Nothing in the capture tells.
    UNSEEN
  }
}
