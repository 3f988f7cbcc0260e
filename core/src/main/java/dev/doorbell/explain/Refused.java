package dev.doorbell.explain;

/// Implemented by every exception that refuses a request and leaves the state as it was.
public interface Refused {
  /// {@return the refusal with its figures and objects}
  Refusal refusal();
}
