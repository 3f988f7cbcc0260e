package dev.doorbell.hw.phb;

/// Both words of a PE's state: its stop bits, which the bridge has too, and the cause, which is in memory alone.
///
/// @param a PESTA
/// @param b PESTB
record PeState(long a, long b) {
  static final PeState RUNNING = new PeState(0, 0);

  boolean isStopped() {
    return a != 0 || b != 0;
  }

  /// {@return whether it was this PE that did something, and not one that takes it along}
  boolean hasCause() {
    return (a & ~PestLayout.MMIO_FROZEN.mask()) != 0;
  }
}
