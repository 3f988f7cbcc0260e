package dev.doorbell.irq;

/// The interrupt controller of a POWER machine, as drivers of sources (host bridges) use it: each source has a number of its own in the machine. The
/// controller's driver implements it. Safe for use from many threads.
public interface SourceRouter {
  /// {@return the controller's name}
  String id();

  /// {@return CPUs, numbered from 0}
  int cpus();

  /// Sends a source's events to a CPU; one that has arrived and was not collected moves along.
  ///
  /// @throws IllegalArgumentException when there is no such CPU or source
  void route(int number, int cpu);

  /// Drops a source's events from now on, and one that has arrived and was not collected.
  void silence(int number);

  /// Takes events of a range of sources that have arrived, as numbers in the machine. The sink is called with the controller's lock held and must not
  /// call back.
  ///
  /// @param last inclusive
  /// {@return how many}
  int collect(int first, int last, InterruptSink sink);
}
