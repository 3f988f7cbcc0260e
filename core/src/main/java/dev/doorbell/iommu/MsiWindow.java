package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;

/// The MSI window of a domain at one moment.
///
/// @param range its IOVAs, as registered
/// @param granule size of a slot
/// @param slots whole granules in it; none is legal
/// @param used slots that hold a doorbell
public record MsiWindow(AddressRange range, Granule granule, long slots, long used) {
  /// {@return slots without a doorbell}
  public long free() {
    return slots - used;
  }
}
