package dev.doorbell.irq;

/// An interrupt controller whose sources name the server that they interrupt (XICS).
public interface ServerRouter extends SourceRouter {
  /// {@return the number by which a source names a CPU}
  ///
  /// @throws IllegalArgumentException when there is no such CPU
  int server(int cpu);
}
