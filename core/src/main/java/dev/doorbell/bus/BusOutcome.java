package dev.doorbell.bus;

/// What became of an access on a model's side of the bus. A fault that the device records is {@link #OK} for the bus.
public enum BusOutcome {
  OK,
  /// No register, memory or device there, or not with this size or alignment.
  ERROR
}
