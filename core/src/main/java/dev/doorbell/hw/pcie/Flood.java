package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;

/// Has a function write the same again and again, as one does that is stuck or hostile: its doorbell, another's datum, or where it may not.
///
/// @param requesterId under which it writes: its own, or whose it pretends to be
/// @param address where to
/// @param datum of 4 bytes
public record Flood(int requesterId, long address, int datum) {
  /// {@return how many of the writes were taken}
  public long by(EndpointModel function, long times) {
    long taken = 0;
    for (long i = 0; i < times; i++) {
      BusOutcome outcome =
          function.forgedWrite(requesterId, address, Integer.toUnsignedLong(datum), Integer.BYTES);
      taken += outcome == BusOutcome.OK ? 1 : 0;
    }
    return taken;
  }
}
