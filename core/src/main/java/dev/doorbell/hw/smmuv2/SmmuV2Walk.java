package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// The way of one access through an SMMUv2, as its registers and tables say it.
///
/// @param hops every register and table entry on the way, in order
/// @param output where the access leaves the SMMU; empty when it ends inside
/// @param stoppedAt of an access that ends inside, why; empty otherwise
public record SmmuV2Walk(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
  public SmmuV2Walk {
    hops = List.copyOf(hops);
  }
}
