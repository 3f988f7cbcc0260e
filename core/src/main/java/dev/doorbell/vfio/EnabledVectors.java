package dev.doorbell.vfio;

import java.util.Optional;

/// The vectors of an open function that are enabled, each led to a trigger. Guarded by the device's lock.
public interface EnabledVectors extends AutoCloseable {
  IrqType type();

  int count();

  boolean has(int vector);

  /// {@return whom a vector signals; empty when it is not enabled}
  Optional<Trigger> trigger(int vector);

  /// Gives an enabled vector another trigger.
  void lead(int vector, Trigger trigger);

  /// Enables one more; when that is refused nothing is left of it.
  void add(int vector, Trigger trigger);

  /// @throws IllegalArgumentException when it is not enabled
  void remove(int vector);

  /// @throws IllegalArgumentException when it is not enabled
  void mask(int vector, boolean masked);

  /// @throws IllegalArgumentException when it is not enabled
  void loopback(int vector);

  /// Takes all back from the function, and {@link #close closes}.
  void release();

  /// Waits for none of them any more, whatever the function does.
  @Override
  void close();
}
