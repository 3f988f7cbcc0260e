package dev.doorbell.bench;

/// Benchmarks cannot start, as another run of the same machine has begun and not ended: two at once would measure each other.
public final class BenchmarkBusy extends RuntimeException {
  private static final long serialVersionUID = 1;

  BenchmarkBusy(String message, Throwable cause) {
    super(message, cause);
  }
}
