package dev.doorbell.hw.pamu;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// Which way an access takes through a PAMU.
///
/// @param hops in order; the last one tells why it ended
/// @param output where it leaves; empty when it ends inside or cannot be followed
/// @param stoppedAt why, when there is no output
public record PamuWalk(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
  public PamuWalk {
    hops = List.copyOf(hops);
  }
}
