package dev.doorbell.irq;

/// Receives interrupts that the hardware delivered.
@FunctionalInterface
public interface InterruptSink {
  /// @param intid the interrupt, as its controller numbers it
  /// @param cpu the CPU it arrived at
  void arrived(int intid, int cpu);
}
