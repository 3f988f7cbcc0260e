package dev.doorbell.hw.vtd;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// The way of one DMA access through a remapping unit.
///
/// @param hops every register and entry on the way, in order
/// @param output where the access leaves the unit; empty when it ends inside
/// @param stoppedAt of an access that ends inside, why; empty otherwise
public record VtdWalk(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
  public VtdWalk {
    hops = List.copyOf(hops);
  }
}
