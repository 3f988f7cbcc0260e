package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Viability;
import java.util.List;
import java.util.Optional;

/// Why iommufd does not bind a device: one errno stands for several reasons, and sysfs tells most of them apart.
///
/// @param name of the space that was to have it
record BindRefused(HostFiles files, String name) {
  /// {@return the refusal of a function}
  RuntimeException because(LinuxGroup group, Sbdf f, Errno e) {
    if (e.equals(Errno.EPERM)) {
      return notPermitted(group, f);
    }
    if (e.equals(Errno.EBUSY)) {
      return new InUse(
          "attach " + group.name() + " to " + name, f.toString(), "the host, or another container");
    }
    // Its file opens for many, and binds for one: EINVAL says that another process was first,
    // before
    // the kernel looks at what firmware demands, and that a driver could not start the function.
    Optional<Because> firmware =
        e.equals(Errno.EINVAL) ? FirmwareDemand.orInUse(group, f) : Optional.empty();
    if (e.equals(Errno.EINVAL) && firmware.isEmpty()) {
      return InUse.unless(
          "attach " + group.name() + " to " + name,
          f.toString(),
          "another process",
          "its driver cannot start it (`dmesg` tells)");
    }
    return new ErrnoException(
        IommufdLayout.VFIO_DEVICE_BIND_IOMMUFD.name(),
        f.toString(),
        e,
        firmware.orElseGet(() -> Because.general(e)));
  }

  /// The kernel answers EPERM where interrupts are not isolated and, after that, where the group's DMA has an owner.
  ///
  /// **Source**: Linux `drivers/iommu/iommufd/device.c`, `iommufd_device_bind`; `drivers/iommu/iommu.c`, `iommu_device_claim_dma_owner`
  private RuntimeException notPermitted(LinuxGroup group, Sbdf f) {
    List<Viability.Blocker> blockers = files.blockers(group.id());
    if (!blockers.isEmpty()) {
      return new NotViable(group.name(), blockers.getFirst());
    }
    String attempt = "attach " + group.name() + " to " + name;
    if (files.allowsUnsafeInterrupts(Access.IOMMUFD)) {
      return InUse.unless(
          attempt,
          group.name(),
          "another process",
          "a driver that is not seen has a function of it");
    }
    return files.isolation() == HostFiles.Isolation.ISOLATED
        ? InUse.unless(
            attempt,
            group.name(),
            "another process",
            "%s has an MSI controller of its own, which does not check who writes".formatted(f))
        : new NotIsolated(
            name,
            group.name(),
            f.toString(),
            "the kernel's MSI controller",
            Source.file(files.unsafeInterrupts(Access.IOMMUFD)));
  }
}
