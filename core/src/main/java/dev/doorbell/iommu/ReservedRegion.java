package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;

/// IOVAs that an allocator or a user must leave alone.
///
/// @param range the IOVAs
/// @param kind why
/// @param source where it was read, or the rule that makes it
public record ReservedRegion(AddressRange range, Kind kind, Source source) {
  /// The five kinds, named as Linux prints them (`include/linux/iommu.h`; both MSI kinds are printed `msi` in sysfs).
  public enum Kind {
    /// Must be identity-mapped whatever the device's owner wants (RMRR, RMR).
    DIRECT("direct"),
    /// As `direct`, but given up when the device is assigned.
    DIRECT_RELAXABLE("direct-relaxable"),
    /// Never usable.
    RESERVED("reserved"),
    /// MSI writes here do not meet the translation tables.
    MSI("msi"),
    /// Window in which software maps doorbells.
    SW_MSI("sw-msi");

    private final String printed;

    Kind(String printed) {
      this.printed = printed;
    }

    /// {@return the kind as written in output}
    public String printed() {
      return printed;
    }
  }
}
