package dev.doorbell.capture;

import dev.doorbell.firmware.Sysroot;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The files of PCI functions in sysfs.
final class PciFiles {
  private static final String DEVICES = "sys/bus/pci/devices";
  private static final int CONFIG = 4096;
  private static final int MOST_DEPTH = 24;
  private static final int MOST_VFS = 4096;
  private static final Pattern ROOT = Pattern.compile("pci[0-9a-f]{4,8}:[0-9a-f]{2}");
  private static final Pattern FUNCTION =
      Pattern.compile("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");

  /// Attributes that are read without a side effect, and tell no serial number.
  private static final List<String> ATTRIBUTES =
      List.of(
          "resource",
          "class",
          "vendor",
          "device",
          "revision",
          "subsystem_vendor",
          "subsystem_device",
          "irq",
          "numa_node",
          "msi_bus",
          "enable",
          "dma_mask_bits",
          "consistent_dma_mask_bits",
          "ari_enabled",
          "driver_override",
          "modalias",
          "power_state",
          "local_cpulist",
          "sriov_totalvfs",
          "sriov_numvfs",
          "sriov_offset",
          "sriov_stride",
          "sriov_vf_device",
          "reset_method",
          "d3cold_allowed",
          "boot_vga",
          "max_link_speed",
          "max_link_width",
          "current_link_speed",
          "current_link_width");

  private static final List<String> LINKS =
      List.of("driver", "iommu_group", "iommu", "physfn", "subsystem");

  private PciFiles() {}

  static void gather(Gathering to) {
    Sysroot root = to.root();
    if (root.exists(DEVICES)) {
      for (String name : to.folder(DEVICES)) {
        Optional<String> folder = to.linkedFolder(DEVICES + "/" + name);
        folder.ifPresent(f -> function(to, f));
      }
      return;
    }
    for (String name : root.list("sys/devices").orElse(List.of())) {
      if (ROOT.matcher(name).matches()) {
        below(to, "sys/devices/" + name, 0);
      }
    }
  }

  private static void below(Gathering to, String folder, int depth) {
    for (String name : to.folder(folder)) {
      if (FUNCTION.matcher(name).matches() && depth < MOST_DEPTH) {
        function(to, folder + "/" + name);
        below(to, folder + "/" + name, depth + 1);
      }
    }
  }

  private static void function(Gathering to, String folder) {
    to.file(folder + "/config", CONFIG);
    to.files(folder, ATTRIBUTES, Wanted.TEXT);
    LINKS.forEach(name -> to.link(folder + "/" + name));
    for (String held : to.root().list(folder + "/vfio-dev").orElse(List.of())) {
      to.file(folder + "/vfio-dev/" + held + "/dev", Wanted.TEXT);
    }
    int vf = 0;
    while (vf < MOST_VFS && to.link(folder + "/virtfn" + vf)) {
      vf++;
    }
    for (String irq : to.root().list(folder + "/msi_irqs").orElse(List.of())) {
      to.file(folder + "/msi_irqs/" + irq, Wanted.TEXT);
    }
  }
}
