package dev.doorbell.hw.phb;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Which way an access takes through a bridge.
///
/// @param hops in order; the last one tells why it ended
/// @param output where DMA leaves; empty for a message, and when it ends inside or cannot be followed
/// @param number the interrupt that a message raises
/// @param server whom the interrupt goes to, where the bridge says so (PHB3)
/// @param stoppedAt why, when there is neither
public record PhbWalk(
    List<Hop> hops,
    Optional<Pa> output,
    OptionalInt number,
    OptionalInt server,
    Optional<String> stoppedAt) {
  public PhbWalk {
    hops = List.copyOf(hops);
  }
}
