package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// Why a group is refused whose firmware wants a region to be reached one to one, whoever has the function. Up to 6.5 Intel's driver alone
/// refuses, with EPERM, when the container's IOMMU is chosen; from then on the kernel does, with EINVAL, when a group or a device is claimed.
///
/// **Source**: Linux `drivers/iommu/iommu.c`, `require_direct`; `drivers/iommu/intel/iommu.c`
final class FirmwareDemand {
  private FirmwareDemand() {}

  /// {@return the reason; empty where it is another one}
  static Optional<Because> of(LinuxGroup group, Errno e) {
    boolean may = e.equals(Errno.EINVAL) || e.equals(Errno.EPERM) && files(group).mayBeIntel();
    return may ? demanded(group).map(at -> because(group, at)) : Optional.empty();
  }

  /// {@return the reason why iommufd does not bind a function, with EINVAL; empty where firmware demands nothing} The kernel answers so, too,
  /// when another process has bound it, and looks at that first; nothing tells the two apart.
  ///
  /// **Source**: Linux `drivers/vfio/vfio_main.c`, `vfio_df_open`; `drivers/iommu/iommufd/device.c`, `iommufd_device_bind`
  static Optional<Because> orInUse(LinuxGroup group, Sbdf function) {
    return demanded(group)
        .map(at -> because(group, at))
        .map(b ->
            new Because(
                "%s; or another process has bound %s".formatted(b.reason(), function),
                "look whether `dmesg` tells of a 1:1 mapping: if so, %s; if not, close %s in the other process"
                    .formatted(b.advice(), function)));
  }

  private static HostFiles files(LinuxGroup group) {
    return group.vfio().files();
  }

  private static Optional<AddressRange> demanded(LinuxGroup group) {
    return group.reserved().stream()
        .filter(r -> r.kind() == ReservedRegion.Kind.DIRECT)
        .map(ReservedRegion::range)
        .findFirst();
  }

  private static Because because(LinuxGroup group, AddressRange at) {
    return new Because(
        "firmware demands that %s reads and writes memory at %s whoever owns it"
            .formatted(group.name(), at),
        "turn the firmware's feature off that uses this region (RMRR, IVMD or RMR; often its protection of DMA before the system starts), or assign another function");
  }
}
