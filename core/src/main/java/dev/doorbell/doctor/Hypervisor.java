package dev.doorbell.doctor;

import dev.doorbell.description.Arch;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.Sysroot;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What runs this virtual machine.
///
/// @param name as it is called; empty when it is not told apart
/// @param sign by what it was recognised
record Hypervisor(String name, String sign, Source source) {
  private static final int LIMIT = 1024 * 1024;
  private static final String DMI = "sys/class/dmi/id/";
  private static final String TREE = "sys/firmware/fdt";

  /// OEM ids of ACPI tables and DMI vendors that name a hypervisor.
  private static final Map<String, String> VENDORS =
      Map.ofEntries(
          Map.entry("FIRECK", "Firecracker"),
          Map.entry("CLOUDH", "Cloud Hypervisor"),
          Map.entry("BOCHS", "QEMU"),
          Map.entry("QEMU", "QEMU"),
          Map.entry("KVM", "KVM"),
          Map.entry("VMware", "VMware"),
          Map.entry("VRTUAL", "Hyper-V"),
          Map.entry("innotek", "VirtualBox"),
          Map.entry("VBOX", "VirtualBox"),
          Map.entry("Xen", "Xen"),
          Map.entry("Amazon EC2", "Amazon EC2"),
          Map.entry("Google Compute", "Google Compute Engine"),
          Map.entry("Parallels", "Parallels"),
          Map.entry("CROSVM", "crosvm"));

  static Optional<Hypervisor> of(Evidence e) {
    Sysroot root = e.sysroot();
    for (String name : List.of("sys_vendor", "product_name", "bios_vendor")) {
      Optional<String> text = root.text(DMI + name, LIMIT);
      Optional<String> vendor = text.flatMap(Hypervisor::vendor);
      if (vendor.isPresent()) {
        return Optional.of(new Hypervisor(vendor.get(), vendor.get(), Source.file(DMI + name)));
      }
    }
    Optional<Hypervisor> table = table(e);
    if (table.isPresent()) {
      return table;
    }
    Optional<BootLog.Hit> dmi = e.log().first("DMI: ").filter(h -> vendor(h.text()).isPresent());
    if (dmi.isPresent()) {
      String name = vendor(dmi.get().text()).orElse("");
      return Optional.of(new Hypervisor(name, name, dmi.get().source()));
    }
    return byTree(e).or(() -> bySign(e));
  }

  private static Optional<Hypervisor> table(Evidence e) {
    for (String name : List.of("APIC", "FACP", "DSDT")) {
      if (!e.tables().names().contains(name)) {
        continue;
      }
      String path = e.tables().source(name).where();
      Optional<String> vendor =
          e.sysroot()
              .text(path, 4 * LIMIT)
              .filter(t -> t.length() > 16)
              .map(t -> t.substring(10, 16))
              .flatMap(Hypervisor::vendor);
      if (vendor.isPresent()) {
        return Optional.of(
            new Hypervisor(
                vendor.get(), vendor.get() + " by its firmware's tables", Source.file(path)));
      }
    }
    return Optional.empty();
  }

  private static Optional<Hypervisor> bySign(Evidence e) {
    Optional<String> cpuinfo = e.sysroot().text("proc/cpuinfo", 16 * LIMIT);
    if (cpuinfo.isPresent()
        && cpuinfo.get().lines().anyMatch(l -> l.matches("(flags|Features).*\\bhypervisor\\b.*"))) {
      return Optional.of(new Hypervisor("", "CPU flag hypervisor", Source.file("proc/cpuinfo")));
    }
    if (e.sysroot().exists("sys/hypervisor/type")) {
      String type =
          e.sysroot().text("sys/hypervisor/type", LIMIT).map(String::strip).orElse("unnamed");
      return Optional.of(
          new Hypervisor(
              type.equals("xen") ? "Xen" : "", type, Source.file("sys/hypervisor/type")));
    }
    return e.log()
        .first("Booting paravirtualized kernel on ")
        .filter(h -> !h.text().contains("bare hardware"))
        .map(h -> {
          String name = h.text().substring(h.text().lastIndexOf(' ') + 1);
          return new Hypervisor(vendor(name).orElse(""), name, h.source());
        });
  }

  private static Optional<String> vendor(String text) {
    return VENDORS.entrySet().stream()
        .filter(v -> text.contains(v.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /// Boards that exist in machines of QEMU's and of its like alone.
  private static Optional<Hypervisor> byTree(Evidence e) {
    if (!(e.sysroot().read(TREE, 4 * LIMIT) instanceof Contents.Present(var blob))) {
      return Optional.empty();
    }
    String tree = blob.latin1();
    return List.of("linux,dummy-virt", "riscv-virtio,qemu", "qemu,pseries", "qemu,powernv").stream()
        .filter(board -> tree.contains(board))
        .findFirst()
        .map(board -> new Hypervisor("QEMU", "its device tree is of " + board, Source.file(TREE)));
  }

  /// {@return what to do on the host, so that functions can be passed on from here}
  ///
  /// **Source**: the manuals of QEMU (`-device intel-iommu`), VirtualBox 7 (`modifyvm --iommu`), VMware (`vvtd.enable`), Cloud Hypervisor (`iommu=on`)
  String cure(Arch arch) {
    String own =
        switch (name) {
          case "QEMU", "KVM" -> ofQemu(arch);
          case "VMware" -> "vvtd.enable = \"TRUE\" in its .vmx (Virtualize IOMMU)";
          case "VirtualBox" ->
              "VBoxManage modifyvm NAME --chipset=ich9 --iommu=automatic, version 7 and later";
          case "Cloud Hypervisor" -> "iommu=on at its devices";
          default -> "";
        };
    if (name.isEmpty()) {
      return "on the host, give the machine a virtual IOMMU, if its hypervisor has one, or look at the host instead";
    }
    return own.isEmpty()
        ? "look at the host instead: no way is known here to give a machine of this hypervisor an IOMMU"
        : "on the host, give the machine a virtual IOMMU (%s), or look at the host instead"
            .formatted(own);
  }

  private static String ofQemu(Arch arch) {
    return switch (arch) {
      case X86 ->
          "-machine q35,kernel-irqchip=split -device intel-iommu,intremap=on, or -device virtio-iommu-pci";
      case ARM64 -> "-machine virt,iommu=smmuv3, or -device virtio-iommu-pci";
      case RISCV64 -> "-machine virt,aia=aplic-imsic,iommu-sys=on";
      case UNKNOWN ->
          "-machine q35,kernel-irqchip=split -device intel-iommu,intremap=on, or -machine virt,iommu=smmuv3";
      case PPC64, POWERPC -> "-device virtio-iommu-pci";
    };
  }
}
