package dev.doorbell.hw.imsic;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// What an interrupt file does with a write.
///
/// @param arrived what becomes pending where; empty when nothing does
/// @param enabled whether the hart is interrupted; empty when that cannot be seen
/// @param stoppedAt why nothing becomes pending
public record ImsicWalk(
    List<Hop> hops,
    Optional<Arrived> arrived,
    Optional<Boolean> enabled,
    Optional<String> stoppedAt) {
  /// A pending interrupt.
  public record Arrived(int cpu, int identity) {}

  public ImsicWalk {
    hops = List.copyOf(hops);
  }
}
