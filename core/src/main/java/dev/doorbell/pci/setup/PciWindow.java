package dev.doorbell.pci.setup;

import dev.doorbell.address.AddressRange;

/// PCI memory addresses at which a host bridge lets CPUs reach BARs.
///
/// @param name for messages
/// @param range PCI addresses, which may differ from those that the CPUs use
/// @param prefetchable whether only prefetchable BARs may lie in it
public record PciWindow(String name, AddressRange range, boolean prefetchable) {
  @Override
  public String toString() {
    return "%s %s".formatted(name, range);
  }
}
