package dev.doorbell.vfio;

import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A function that the host can give away.
///
/// @param group its group, which has a member named as `sbdf` prints
/// @param config its live configuration space
/// @param driver what the host drives it with; empty when nobody does
/// @param functionReset resets the function alone; on return it is ready
public record HostFunction(
    Sbdf sbdf,
    IommuGroup group,
    ConfigSpace config,
    List<HostBar> bars,
    MsiDomain msiDomain,
    Optional<String> driver,
    Runnable functionReset) {
  public HostFunction {
    bars = List.copyOf(bars);
  }

  Optional<HostBar> bar(int index) {
    return bars.stream().filter(b -> b.index() == index).findFirst();
  }
}
