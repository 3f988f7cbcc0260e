package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// MSI regions of virtio-iommus.
///
/// A virtio-iommu that reports a region of subtype MSI lets writes to it pass untranslated; the ones that are known report the
/// doorbell of the machine's MSI controller. The region is asked for at run time, so a capture cannot show it: it is derived from where
/// the controllers of the functions behind it have their doorbells.
///
/// **Source**: virtio 1.2, 5.13.6.11.1 (RESV_MEM of subtype MSI).
final class VirtioRegions {
  private static final Source RULE = Source.rule("virtio 1.2, 5.13.6.11.1");

  private VirtioRegions() {}

  static void add(Draft draft) {
    for (IommuDescription iommu : draft.iommus) {
      if (iommu instanceof IommuDescription.VirtioIommu) {
        for (AddressRange frame : doorbells(draft, iommu.id())) {
          draft.reserved.add(
              new MachineDescription.Reservation(
                  new ReservedRegion(frame, ReservedRegion.Kind.MSI, RULE),
                  List.of(),
                  Optional.of(iommu.id()),
                  List.of()));
        }
      }
    }
  }

  private static TreeSet<AddressRange> doorbells(Draft draft, String iommu) {
    TreeSet<AddressRange> out = new TreeSet<>();
    for (HostBridge bridge : draft.hostBridges) {
      if (bridge.streams().stream().noneMatch(s -> s.iommu().equals(iommu))) {
        continue;
      }
      for (HostBridge.MsiMapping m : bridge.msis()) {
        draft.msiControllers.stream()
            .filter(c -> m.controllers().contains(c.id()))
            .flatMap(c -> c.frame().stream())
            .forEach(out::add);
      }
    }
    return out;
  }
}
