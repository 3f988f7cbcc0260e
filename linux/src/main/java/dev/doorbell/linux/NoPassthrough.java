package dev.doorbell.linux;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// This kernel cannot hand a function out at all. The refusal's type says which part is missing.
public final class NoPassthrough extends LinuxException {
  private static final long serialVersionUID = 1L;

  private NoPassthrough(
      String type, String message, List<String> objects, String file, String advice) {
    super(
        new Refusal(
            type, message, Optional.empty(), Optional.empty(), objects, Source.file(file), advice));
  }

  static NoPassthrough noDriver() {
    return new NoPassthrough(
        "NoVfioDriver",
        "this kernel has no driver vfio-pci, or its module is not loaded",
        List.of("vfio-pci"),
        "sys/bus/pci/drivers/vfio-pci",
        "`modprobe vfio-pci`; where that fails the kernel was built without CONFIG_VFIO_PCI");
  }

  /// @param unsafeMode whether the administrator turned VFIO's mode without IOMMU on
  static NoPassthrough noIommu(Sbdf function, boolean unsafeMode) {
    return new NoPassthrough(
        "NoIommu",
        "%s is behind no IOMMU that this kernel drives%s"
            .formatted(
                function,
                unsafeMode
                    ? "; VFIO's mode without IOMMU is on, which would let the function reach all memory"
                    : ""),
        List.of(function.toString()),
        "sys/class/iommu",
        "turn the IOMMU on in firmware and on the kernel's command line (intel_iommu=on; Arm: the firmware's IORT or device tree names it), and see `doorbell doctor`"
            + (unsafeMode ? "; functions without isolation are not handed out here" : ""));
  }
}
