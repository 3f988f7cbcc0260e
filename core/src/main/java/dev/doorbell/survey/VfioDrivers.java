package dev.doorbell.survey;

import java.util.Set;

/// Drivers of Linux by which VFIO holds a PCI function, told by their names.
///
/// On kernels from 6.1 on such a function has a folder `vfio-dev` in sysfs, whatever its driver is called; names are what is left where a
/// capture lacks that folder.
///
/// **Source**: Linux 6.12, `drivers/vfio/pci`: every driver there that registers with `vfio_pci_core_register_device`, and Intel's `xe_vfio_pci`
/// of later kernels.
public final class VfioDrivers {
  private static final Set<String> NAMES =
      Set.of(
          "vfio-pci",
          "mlx5_vfio_pci",
          "hisi_acc_vfio_pci",
          "pds_vfio_pci",
          "virtio_vfio_pci",
          "nvgrace_gpu_vfio_pci",
          "qat_vfio_pci",
          "xe_vfio_pci");

  private VfioDrivers() {}

  /// {@return whether a driver, by its name in sysfs, is VFIO's for PCI functions}
  public static boolean has(String driver) {
    return NAMES.contains(driver);
  }
}
