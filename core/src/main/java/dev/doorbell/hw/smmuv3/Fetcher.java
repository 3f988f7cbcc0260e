package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;

/// Reads tables, and changes them where hardware does. Keeps the value beside the outcome, so that a read allocates nothing.
final class Fetcher {
  private final PhysicalMemory memory;

  /// The last quadword read.
  long value;

  Fetcher(PhysicalMemory memory) {
    this.memory = memory;
  }

  /// Reads a quadword into {@link #value}.
  ///
  /// {@return false when the bus answered with an error}
  boolean read(long pa) {
    try {
      value = memory.read64(pa);
      return true;
    } catch (BusException _) {
      return false;
    }
  }

  /// Replaces a quadword by another one, atomically. What is there instead of the expected one is read into {@link #value},
  /// which then is not `next`.
  ///
  /// {@return false when the bus answered with an error}
  boolean update(long pa, long expected, long next) {
    try {
      if (memory.compareAndSet64(pa, expected, next)) {
        value = next;
        return true;
      }
    } catch (BusException _) {
      return false;
    }
    return read(pa);
  }
}
