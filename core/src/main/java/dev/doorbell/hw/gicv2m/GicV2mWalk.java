package dev.doorbell.hw.gicv2m;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.OptionalInt;

/// What a frame does with one write.
///
/// @param hops the way, in order; the last one tells why it ended
/// @param intid the SPI that is raised
/// @param outcome how it ended
public record GicV2mWalk(List<Hop> hops, OptionalInt intid, Outcome outcome) {
  /// How a walk ended.
  public enum Outcome {
    /// The frame pulses the SPI.
    RAISED,
    /// The frame drops the write; the last hop tells why.
    DROPPED,
    /// Something cannot be seen, which is not the same as being dropped; the last hop tells what.
    CANNOT_SEE
  }

  public GicV2mWalk {
    hops = List.copyOf(hops);
  }
}
