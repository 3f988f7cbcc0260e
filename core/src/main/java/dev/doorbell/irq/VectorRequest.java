package dev.doorbell.irq;

/// Vectors that a function asks its MSI domain for.
///
/// @param min fewest it can use, above 0
/// @param max most it can use
/// @param contiguous whether data must be consecutive and start at a multiple of their number (multi-message MSI); a power of two is
///     taken then
/// @param address64 whether the function can write to addresses of 4 GiB and above
/// @param maxData the largest datum that it can send
public record VectorRequest(int min, int max, boolean contiguous, boolean address64, long maxData) {
  public VectorRequest {
    if (min < 1 || max < min) {
      throw new IllegalArgumentException("cannot ask for %d to %d vectors".formatted(min, max));
    }
  }

  /// {@return vectors that must be taken to use some}
  int taken(int used) {
    int floor = Integer.highestOneBit(used);
    return !contiguous || floor == used ? used : floor + floor;
  }

  /// {@return fewer vectors to try after some were not to be had; below {@link #min} when there is nothing to try}
  int less(int used, int free) {
    int next = contiguous ? Integer.highestOneBit(taken(used) - 1) : used - 1;
    return used > min ? Math.max(min, Math.min(next, free)) : 0;
  }
}
