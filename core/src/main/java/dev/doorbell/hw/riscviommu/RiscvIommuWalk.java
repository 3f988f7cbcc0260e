package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;

/// What an IOMMU's registers and tables say of an access.
///
/// @param output where it leaves; empty when it ends inside
/// @param stoppedAt why it ends
public record RiscvIommuWalk(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
  public RiscvIommuWalk {
    hops = List.copyOf(hops);
  }
}
