package dev.doorbell.bus;

/// The CPUs' side of the interrupt controller, where a machine lets one reach it from outside. CPUs are numbered from 0 in firmware's
/// order.
public interface CpuInterface {
  /// Nothing is pending.
  int NONE = -1;

  int cpus();

  /// {@return the interrupt id that a CPU takes, now active there, or {@link #NONE}}
  int acknowledge(int cpu);

  void endOfInterrupt(int cpu, int intid);
}
