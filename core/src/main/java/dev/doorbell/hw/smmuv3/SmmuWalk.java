package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import dev.doorbell.vmsa.VmsaStep;
import java.util.List;
import java.util.Optional;

/// The way of one access through an SMMU, as its registers and tables say it.
///
/// @param hops every register and table entry on the way, in order
/// @param output where the access leaves the SMMU; empty when it ends inside
/// @param stoppedAt of an access that ends inside, why; empty otherwise
/// @param steps the translation table descriptors among the hops: stage 1's, then those of stage 2 for the output address
public record SmmuWalk(
    List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt, List<VmsaStep> steps) {
  public SmmuWalk {
    hops = List.copyOf(hops);
    steps = List.copyOf(steps);
  }
}
