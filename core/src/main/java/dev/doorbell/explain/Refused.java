package dev.doorbell.explain;

/// Implemented by every exception that refuses a request, or says that hardware failed it; state is as it was, but for what hardware
/// that fails could not take back.
public interface Refused {
  /// {@return the refusal with its figures and objects}
  Refusal refusal();
}
