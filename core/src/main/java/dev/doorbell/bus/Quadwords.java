package dev.doorbell.bus;

/// A run of quadwords of a {@link PhysicalMemory}, whose place was looked for once: for a model that goes to the same table with every
/// message. The rules are those of the memory; safe for use from many threads.
public interface Quadwords {
  /// {@return a quadword}
  ///
  /// @param index from 0 to below the run's length
  /// @throws BusErrorException when it lies outside memory
  long get(int index);

  /// Changes a quadword in one, where it still is what was expected.
  ///
  /// {@return whether it was}
  ///
  /// @param index from 0 to below the run's length
  /// @throws BusErrorException when it lies outside memory
  boolean compareAndSet(int index, long expected, long next);
}
