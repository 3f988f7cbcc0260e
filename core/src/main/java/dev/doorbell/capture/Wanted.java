package dev.doorbell.capture;

import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.DeviceNodes;
import dev.doorbell.firmware.Sysroot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What of a host belongs in a capture: what `inspect`, `plan`, `trace` and `doctor` read.
final class Wanted {
  static final int TEXT = 1024 * 1024;
  private static final int LARGE = 16 * 1024 * 1024;
  private static final int MOST_IRQS = 2048;
  private static final int MOST_TREE_DEPTH = 64;

  private static final List<String> TABLES =
      List.of(
          "APIC", "IORT", "MCFG", "VIOT", "XSDT", "RSDT", "RSDP", "DMAR", "IVRS", "RIMT", "RHCT",
          "HPET", "FACP", "GTDT", "SRAT", "SLIT", "PPTT", "HMAT", "BERT", "HEST", "SPCR");

  private static final List<String> PROC =
      List.of(
          "proc/cmdline",
          "proc/version",
          "proc/modules",
          "proc/ioports",
          "proc/meminfo",
          "proc/devices",
          "proc/bus/pci/devices",
          "proc/sys/kernel/osrelease",
          "proc/self/limits",
          "proc/self/cgroup",
          "proc/1/cgroup");

  private static final List<String> PROC_LARGE =
      List.of("proc/iomem", "proc/interrupts", "proc/cpuinfo", "proc/config.gz");

  private static final List<String> DMI =
      List.of(
          "sys_vendor",
          "product_name",
          "product_family",
          "board_vendor",
          "board_name",
          "bios_vendor",
          "bios_version",
          "bios_date",
          "chassis_type");

  private static final List<String> MODULES =
      List.of(
          "vfio",
          "vfio_pci",
          "vfio_pci_core",
          "vfio_iommu_type1",
          "vfio_iommu_spapr_tce",
          "iommufd",
          "kvm",
          "kvm_intel",
          "kvm_amd",
          "irqbypass",
          "arm_smmu",
          "arm_smmu_v3");

  private static final List<String> IRQ = List.of("actions", "chip_name", "hwirq", "name", "type");

  private final Gathering to;
  private final Sysroot root;

  private Wanted(Gathering to) {
    this.to = to;
    this.root = to.root();
  }

  /// Collects all of it.
  ///
  /// @return what was left out on purpose
  static List<String> gather(Gathering to) {
    Wanted wanted = new Wanted(to);
    List<String> leftOut = new ArrayList<>();
    PciFiles.gather(to);
    wanted.iommus();
    wanted.firmware(leftOut);
    wanted.kernel();
    wanted.procfs();
    wanted.platform();
    wanted.besides();
    leftOut.add("registers and memory: BARs, expansion ROMs, vital product data, RAM");
    return leftOut;
  }

  private void iommus() {
    String groups = "sys/kernel/iommu_groups";
    for (String number : to.folder(groups)) {
      String group = groups + "/" + number;
      to.files(group, List.of("type", "reserved_regions", "name"), TEXT);
      for (String device : to.folder(group + "/devices")) {
        if (!to.link(group + "/devices/" + device)) {
          to.folder(group + "/devices/" + device);
        }
      }
    }
    for (String unit : to.folder("sys/class/iommu")) {
      Optional<String> folder = to.linkedFolder("sys/class/iommu/" + unit);
      for (String kind : List.of("intel-iommu", "amd-iommu")) {
        folder.ifPresent(f -> {
          String inner = f + "/" + kind;
          to.files(inner, root.list(inner).orElse(List.of()), TEXT);
        });
      }
    }
  }

  private void firmware(List<String> leftOut) {
    to.folder("sys/firmware");
    String folder = "sys/firmware/acpi/tables";
    List<String> left = new ArrayList<>();
    for (String name : to.folder(folder)) {
      if (TABLES.stream().anyMatch(name::startsWith) && !root.isFolder(folder + "/" + name)) {
        to.file(folder + "/" + name, LARGE);
      } else if (!root.isFolder(folder + "/" + name)) {
        left.add(name);
      }
    }
    if (!left.isEmpty()) {
      leftOut.add("ACPI tables " + String.join(", ", left));
    }
    to.file("sys/firmware/fdt", LARGE);
    boolean flattened = root.read("sys/firmware/fdt", LARGE) instanceof Contents.Present;
    if (!flattened) {
      tree("sys/firmware/devicetree/base", 0);
    }
  }

  private void tree(String folder, int depth) {
    for (String name : to.folder(folder)) {
      String path = folder + "/" + name;
      if (root.isFolder(path) && depth < MOST_TREE_DEPTH) {
        if (!to.link(path)) {
          tree(path, depth + 1);
        }
      } else if (!to.link(path)) {
        to.file(path, TEXT);
      }
    }
  }

  private void kernel() {
    for (String driver : root.list("sys/bus/pci/drivers").orElse(List.of())) {
      to.folder("sys/bus/pci/drivers/" + driver);
    }
    for (String module : MODULES) {
      String folder = "sys/module/" + module;
      if (root.isFolder(folder)) {
        to.folder(folder);
        String parameters = folder + "/parameters";
        to.files(parameters, root.list(parameters).orElse(List.of()), TEXT);
      }
    }
    root.list("sys/kernel/irq").orElse(List.of()).stream()
        .limit(MOST_IRQS)
        .forEach(irq -> to.files("sys/kernel/irq/" + irq, IRQ, TEXT));
    release()
        .ifPresent(r -> {
          if (!(root.read("proc/config.gz", LARGE) instanceof Contents.Present)) {
            to.file("boot/config-" + r, LARGE);
            to.file("lib/modules/" + r + "/config", LARGE);
            to.file("usr/lib/modules/" + r + "/config", LARGE);
          }
        });
    root.kernelLog()
        .blob(why -> to.missed("dmesg.txt", why))
        .ifPresent(blob -> to.data("dmesg.txt", blob));
  }

  private Optional<String> release() {
    return root.text("proc/sys/kernel/osrelease", TEXT)
        .map(String::strip)
        .or(() ->
            root.text("proc/version", TEXT)
                .map(v -> v.split("\\s+"))
                .filter(w -> w.length > 2)
                .map(w -> w[2]))
        .filter(r -> r.matches("[\\w.+~-]{1,128}"));
  }

  private void procfs() {
    PROC.forEach(path -> to.file(path, TEXT));
    PROC_LARGE.forEach(path -> to.file(path, LARGE));
    // Of the process's own state only what it may do.
    root.text("proc/self/status", TEXT)
        .map(t ->
            t.lines().filter(l -> l.startsWith("Cap")).collect(Collectors.joining("\n", "", "\n")))
        .ifPresent(t -> to.text("proc/self/status", t));
    for (String kind : List.of("pid", "ipc", "uts", "cgroup", "mnt", "user")) {
      to.link("proc/self/ns/" + kind);
    }
  }

  private void platform() {
    Optional<String> dmi = to.linkedFolder("sys/class/dmi/id");
    dmi.ifPresent(folder -> to.files(folder, DMI, TEXT));
    to.file("sys/hypervisor/type", TEXT);
    for (String marker : List.of(".dockerenv", "run/.containerenv", "run/systemd/container")) {
      if (root.exists(marker)) {
        to.text(marker, "");
      }
    }
  }

  private void besides() {
    DeviceNodes nodes = DeviceNodes.read(root);
    if (nodes.seen()) {
      to.text(
          DeviceNodes.PATH,
          nodes.nodes().stream().map(n -> n.line() + "\n").collect(Collectors.joining()));
    }
    if (!root.isLive()) {
      to.file("lspci-xxxx.txt", 4 * LARGE);
    }
  }
}
