package dev.doorbell.doctor;

import dev.doorbell.description.Arch;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.doctor.KernelConfig.Setting;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Whether the kernel was built with VFIO, with the IOMMU's driver and with interrupt remapping, and whether the modules are loaded.
///
/// **Source**: Linux 6.12, drivers/vfio/Kconfig, drivers/iommu/Kconfig.
final class KernelChecks implements Checks {
  private static final List<String> BACKENDS =
      List.of("vfio_iommu_type1", "vfio_iommu_spapr_tce", "iommufd");

  @Override
  public void check(Evidence e, Chart chart) {
    KernelConfig config = e.config();
    if (config.seen()) {
      vfio(e, chart);
      iommu(e, chart);
      other(e, chart);
    } else {
      withoutConfig(e, chart);
    }
    modules(e, chart);
  }

  private static void vfio(Evidence e, Chart chart) {
    KernelConfig c = e.config();
    if (c.isOff("VFIO") || c.isOff("VFIO_PCI")) {
      String which = c.isOff("VFIO") ? "CONFIG_VFIO" : "CONFIG_VFIO_PCI";
      chart.blocks(
          "kernel.vfio",
          "the kernel has no %s (%s is not set)%s"
              .formatted(
                  c.isOff("VFIO") ? "VFIO" : "vfio-pci",
                  which,
                  c.isOff("MODULES")
                      ? ", and takes no modules that could add it (CONFIG_MODULES is not set)"
                      : ""),
          c.source(),
          "boot a kernel with CONFIG_VFIO=m, CONFIG_VFIO_PCI=m and %s"
              .formatted(
                  e.machine().arch() == Arch.PPC64
                      ? "CONFIG_VFIO_IOMMU_SPAPR_TCE=m"
                      : "CONFIG_VFIO_IOMMU_TYPE1=m; distributions' kernels have them"));
      return;
    }
    boolean container =
        c.isOn("VFIO_IOMMU_TYPE1")
            || c.isOn("VFIO_IOMMU_SPAPR_TCE")
            || c.isOn("IOMMUFD")
                && (c.isOn("VFIO_DEVICE_CDEV") || c.isOn("IOMMUFD_VFIO_CONTAINER"));
    if (!container) {
      chart.blocks(
          "kernel.vfio-backend",
          "the kernel has VFIO and no IOMMU backend for it: neither CONFIG_VFIO_IOMMU_TYPE1 nor CONFIG_VFIO_IOMMU_SPAPR_TCE nor CONFIG_IOMMUFD with CONFIG_VFIO_DEVICE_CDEV is set",
          c.source(),
          "boot a kernel with CONFIG_VFIO_IOMMU_TYPE1=m, or with CONFIG_IOMMUFD=m and CONFIG_VFIO_DEVICE_CDEV=y");
    } else {
      chart.fine(
          "kernel.vfio",
          "the kernel has VFIO (CONFIG_VFIO_PCI=%s)%s"
              .formatted(
                  c.setting("VFIO_PCI") == Setting.MODULE ? "m" : "y",
                  c.isOn("IOMMUFD") && c.isOn("VFIO_DEVICE_CDEV")
                      ? ", with iommufd and device nodes of its own for functions"
                      : ", by containers and groups; iommufd is not built in"),
          c.source());
    }
  }

  private static void iommu(Evidence e, Chart chart) {
    List<String> wanted = drivers(e);
    KernelConfig c = e.config();
    List<String> off = wanted.stream().filter(c::isOff).map(n -> "CONFIG_" + n).toList();
    if (!wanted.isEmpty() && off.size() == wanted.size() && !e.iommuRuns().orElse(false)) {
      chart.blocks(
          "kernel.iommu",
          "the kernel has no driver for %s (%s not set)"
              .formatted(
                  described(e),
                  off.size() == 1 ? off.getFirst() + " is" : String.join(", ", off) + " are"),
          c.source(),
          "boot a kernel with %s=y".formatted(String.join("=y or ", off)));
    }
    if (c.isOff("PCI_MSI")) {
      chart.blocks(
          "kernel.pci-msi",
          "the kernel has no MSI (CONFIG_PCI_MSI is not set)",
          c.source(),
          "boot a kernel with CONFIG_PCI_MSI=y");
    }
  }

  private static List<String> drivers(Evidence e) {
    List<String> out = new ArrayList<>();
    if (e.tables().has("DMAR")) {
      out.add("INTEL_IOMMU");
    }
    if (e.tables().has("IVRS")) {
      out.add("AMD_IOMMU");
    }
    for (IommuDescription i : e.machine().iommus()) {
      switch (i) {
        case IommuDescription.Smmuv3 s -> out.add("ARM_SMMU_V3");
        case IommuDescription.Smmuv2 s -> out.add("ARM_SMMU");
        case IommuDescription.VtD v -> out.add("INTEL_IOMMU");
        case IommuDescription.AmdVi a -> out.add("AMD_IOMMU");
        case IommuDescription.VirtioIommu v -> out.add("VIRTIO_IOMMU");
        case IommuDescription.RiscvIommu r -> out.add("RISCV_IOMMU");
        case IommuDescription.Pamu p -> out.add("FSL_PAMU");
        case IommuDescription.Phb _, IommuDescription.PaprTce _ -> out.add("SPAPR_TCE_IOMMU");
        case IommuDescription.Other o -> {
          // Which driver takes it is not known here; the kernel's groups tell.
        }
      }
    }
    if (out.isEmpty() && e.isX86()) {
      out.addAll(List.of("INTEL_IOMMU", "AMD_IOMMU", "VIRTIO_IOMMU"));
    }
    return out.stream().distinct().toList();
  }

  private static String described(Evidence e) {
    return e.tables().has("DMAR") || e.tables().has("IVRS") || !e.machine().iommus().isEmpty()
        ? "the IOMMU that firmware describes"
        : "any IOMMU of this kind of machine";
  }

  private static void other(Evidence e, Chart chart) {
    KernelConfig c = e.config();
    if (c.isOff("PCI_IOV")) {
      chart.warns(
          "kernel.sriov",
          "the kernel makes no virtual functions (CONFIG_PCI_IOV is not set): whole functions only",
          c.source(),
          "boot a kernel with CONFIG_PCI_IOV=y");
    }
    if (c.isOff("KVM")) {
      chart.warns(
          "kernel.kvm",
          "the kernel has no KVM (CONFIG_KVM is not set): user-space drivers can have functions, virtual machines only under emulation",
          c.source(),
          "boot a kernel with CONFIG_KVM=y");
    }
  }

  private static void withoutConfig(Evidence e, Chart chart) {
    Optional<String> shown = shown(e);
    if (shown.isPresent()) {
      chart.fine("kernel.vfio", "the kernel has vfio-pci", Source.file(shown.get()));
      return;
    }
    chart.unseen(
        "kernel.config",
        "whether the kernel has VFIO and the IOMMU's driver: its configuration is not to be seen, and vfio-pci is not loaded",
        e.config().source(),
        "modprobe vfio-pci, or grep -e VFIO -e IOMMU /boot/config-$(uname -r) (or: zcat /proc/config.gz | grep ...)");
  }

  /// {@return a file that shows that vfio-pci is there}
  private static Optional<String> shown(Evidence e) {
    String driver = "sys/bus/pci/drivers/vfio-pci";
    if (e.sysroot().exists(driver)) {
      return Optional.of(driver);
    }
    if (e.modules().isThere("vfio_pci")) {
      return Optional.of(Modules.LIST);
    }
    return e.machine().functions().stream()
        .filter(f -> f.driver().map("vfio-pci"::equals).orElse(false))
        .map(f -> "sys/bus/pci/devices/" + f.sbdf() + "/driver")
        .findFirst();
  }

  private static void modules(Evidence e, Chart chart) {
    boolean vfioLoaded = e.modules().loaded().contains("vfio");
    boolean backend =
        Stream.concat(BACKENDS.stream(), Stream.of("vfio_iommu_spapr_tce"))
            .anyMatch(e.modules()::isThere);
    boolean cdev = e.nodes().node("/dev/iommu").isPresent();
    if (vfioLoaded && !backend && !cdev && !e.config().seen()) {
      chart.blocks(
          "module.backend",
          "vfio is loaded and none of its IOMMU backends (%s) is: the kernel was built without one for this architecture"
              .formatted(String.join(", ", BACKENDS)),
          Source.file(Modules.LIST),
          "boot a kernel with CONFIG_VFIO_IOMMU_TYPE1 or CONFIG_IOMMUFD");
    }
    boolean possible = !chart.isBlocked() && e.config().setting("VFIO_PCI") == Setting.MODULE;
    if (possible && e.modules().listed() && !e.modules().isThere("vfio_pci")) {
      chart.warns(
          "module.vfio-pci",
          "vfio-pci is not loaded yet",
          Source.file(Modules.LIST),
          "modprobe vfio-pci");
    }
  }
}
