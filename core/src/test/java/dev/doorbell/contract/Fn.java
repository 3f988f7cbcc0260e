package dev.doorbell.contract;

import dev.doorbell.contract.Progress.Seen;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.pci.ConfigSpace;
import java.util.List;
import java.util.Optional;

/// A function with all that belongs to it.
record Fn(
    EndpointModel device,
    ConfigSpace config,
    IommuGroup group,
    MsiRoute route,
    MsiFunction vectors,
    Optional<ShownTable> table) {
  /// {@return entries of its MSI-X table}
  List<long[]> entries() {
    return table.map(ShownTable::entries).orElse(List.of());
  }

  /// {@return what it says of its vectors}
  List<Seen> seen() {
    return vectors.vectors().stream()
        .map(v ->
            new Seen(
                v.index(),
                v.message().address(),
                v.message().data(),
                v.intid(),
                v.cpu(),
                v.masked()))
        .toList();
  }
}
