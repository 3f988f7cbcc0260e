package dev.doorbell.hw.xive;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Where an event goes.
///
/// @param hops in order; the last one tells why it ended
/// @param thread the hardware thread that is told; empty when none is
/// @param stoppedAt why, when there is none
public record XiveWalk(List<Hop> hops, OptionalInt thread, Optional<String> stoppedAt) {
  public XiveWalk {
    hops = List.copyOf(hops);
  }
}
