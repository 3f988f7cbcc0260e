package dev.doorbell.irq;

/// Told of each vector that a function is given before the function can raise it, so that whoever waits for its interrupt is in place. When the
/// change fails afterwards, the vectors are gone again and nobody is told.
@FunctionalInterface
public interface VectorListener {
  /// Nobody.
  VectorListener NONE = (vector, controller, number) -> {};

  /// @param vector its number at the function
  /// @param number the interrupt that it raises, as its controller tells of it
  void given(int vector, MsiController controller, int number);
}
