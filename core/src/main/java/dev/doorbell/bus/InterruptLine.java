package dev.doorbell.bus;

/// A wired interrupt from a model to the interrupt controller (an SPI). Edge-triggered users pulse it.
@FunctionalInterface
public interface InterruptLine {
  /// A line that leads nowhere.
  InterruptLine NONE = level -> {};

  /// Drives the line.
  void set(boolean level);

  /// One edge: up and down.
  default void pulse() {
    set(true);
    set(false);
  }
}
