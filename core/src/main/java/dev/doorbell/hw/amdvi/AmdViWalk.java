package dev.doorbell.hw.amdvi;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// The way of one DMA access through an AMD IOMMU.
///
/// @param hops every register and entry on the way, in order
/// @param output where the access leaves the IOMMU; empty when it ends inside
/// @param stoppedAt of an access that ends inside, why; empty otherwise
public record AmdViWalk(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
  public AmdViWalk {
    hops = List.copyOf(hops);
  }
}
