package dev.doorbell.route;

import dev.doorbell.explain.Source;

/// What is known of one vector of a function.
public sealed interface VectorState permits ProgrammedVector, VectorState.Off, VectorState.Unseen {
  /// The function sends nothing for it: the capability is off, or the function was not given the vector.
  ///
  /// @param kind `MSI` or `MSI-X`
  record Off(String kind, Source source) implements VectorState {}

  /// A fact lacks, and nothing is said in its place.
  ///
  /// @param why which one
  /// @param source where it would be
  record Unseen(String why, Source source) implements VectorState {}
}
