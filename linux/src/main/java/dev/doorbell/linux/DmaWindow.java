package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;

/// IOVAs that can be mapped.
///
/// @param pageSizes sizes of pages that mappings there may have, a bit each
public record DmaWindow(AddressRange iovas, long pageSizes) {
  /// {@return the smallest mapping}
  public Granule granule() {
    return new Granule(Math.max(Long.numberOfTrailingZeros(pageSizes), Granule.K4.shift()));
  }
}
