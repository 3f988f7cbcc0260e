package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;

/// One mapping as its owner made it.
///
/// @param iovas the IOVAs
/// @param pa where the first one leads
/// @param protection what it allows
public record Mapping(AddressRange iovas, Pa pa, Protection protection) {
  @Override
  public String toString() {
    return "mapping " + iovas + " to " + pa;
  }
}
