package dev.doorbell.explain;

import java.util.Set;

/// A fact that could not be seen, which is not the same as a thing that is not there.
///
/// @param what the fact
/// @param why which file is missing or unreadable
/// @param consequence what depends on it and stays unanswered
/// @param hides of which things it then cannot be said that they are not there
public record Unseen(String what, String why, String consequence, Set<Hidden> hides) {
  /// Things whose absence is an answer only where everything that would name them was read.
  public enum Hidden {
    IOMMUS,
    MSI_CONTROLLERS
  }

  public Unseen {
    hides = Set.copyOf(hides);
  }

  /// A fact without which every absence stays certain.
  public Unseen(String what, String why, String consequence) {
    this(what, why, consequence, Set.of());
  }
}
