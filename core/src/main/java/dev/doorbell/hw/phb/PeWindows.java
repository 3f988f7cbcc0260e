package dev.doorbell.hw.phb;

/// The TVEs of a PE.
///
/// @param first of addresses from 0 on
/// @param second of addresses from 2^59 on
record PeWindows(long first, long second) {
  /// Nothing passes.
  static final PeWindows CLOSED = new PeWindows(0, 0);

  /// {@return two windows of one entry}
  static PeWindows both(long tve) {
    return new PeWindows(tve, tve);
  }
}
