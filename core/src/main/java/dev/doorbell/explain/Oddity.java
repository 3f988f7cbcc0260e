package dev.doorbell.explain;

/// Something in the input that is not as it should be, and that reading went on after.
///
/// @param message what is odd, with the values; lower case, no period
/// @param source file and offset
/// @param effect what became of the facts around it
public record Oddity(String message, Source source, Effect effect) {
  /// What an oddity does to the facts that are read.
  public enum Effect {
    /// Everything is read as it stands: a wrong checksum over content that can be read.
    NONE,
    /// Something could not be read, or was passed over: what it would have told may be missing.
    FACTS_MAY_BE_MISSING
  }

  /// An oddity after which facts may be missing.
  public Oddity(String message, Source source) {
    this(message, source, Effect.FACTS_MAY_BE_MISSING);
  }

  /// {@return whether what is not found may be missing only because of this}
  public boolean mayHideFacts() {
    return effect == Effect.FACTS_MAY_BE_MISSING;
  }
}
