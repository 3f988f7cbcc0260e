package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Sysroot;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Whether this is a virtual machine or a container, and what that means for passthrough.
final class PlatformChecks implements Checks {
  private static final int LIMIT = 1024 * 1024;
  private static final String DMI = "sys/class/dmi/id/";

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

  private static final Pattern CONTAINER_CGROUP =
      Pattern.compile("docker|kubepods|containerd|libpod|lxc|crio|nspawn");
  private static final Pattern NAMESPACE = Pattern.compile("\\w+:\\[(\\d+)\\]");

  /// Inode numbers of the namespaces that the kernel starts with (`PROC_*_INIT_INO`, include/linux/proc_ns.h).
  private static final Map<String, Long> FIRST_NAMESPACES =
      Map.of("pid", 0xeffffffcL, "ipc", 0xefffffffL, "uts", 0xeffffffeL, "cgroup", 0xeffffffbL);

  private record Sign(String what, Source source) {}

  @Override
  public void check(Evidence e, Chart chart) {
    virtualMachine(e).ifPresent(sign -> inside(e, sign, chart));
    container(e.sysroot(), chart);
  }

  private static void inside(Evidence e, Sign sign, Chart chart) {
    boolean iommu = e.iommuRuns().orElse(!e.machine().iommus().isEmpty());
    String what = "this is a virtual machine (" + sign.what() + ")";
    if (iommu) {
      chart.fine(
          "platform.vm",
          what + ", and its hypervisor gives it an IOMMU: functions can be passed on from here",
          sign.source());
    } else {
      chart.warns(
          "platform.vm",
          what
              + ": its PCI functions are those that the hypervisor made or passed in, and they can be passed on only behind a virtual IOMMU",
          sign.source(),
          "on the host: give the machine a virtual IOMMU (QEMU: -device intel-iommu,intremap=on with -machine q35,kernel-irqchip=split; -machine virt,iommu=smmuv3; or -device virtio-iommu-pci), or look at the host instead");
    }
  }

  private static Optional<Sign> virtualMachine(Evidence e) {
    Sysroot root = e.sysroot();
    for (String name : List.of("sys_vendor", "product_name", "bios_vendor")) {
      Optional<String> text = root.text(DMI + name, LIMIT);
      Optional<String> vendor = text.flatMap(PlatformChecks::vendor);
      if (vendor.isPresent()) {
        return Optional.of(new Sign(vendor.get(), Source.file(DMI + name)));
      }
    }
    Optional<Sign> table = table(e);
    if (table.isPresent()) {
      return table;
    }
    Optional<BootLog.Hit> dmi = e.log().first("DMI: ").filter(h -> vendor(h.text()).isPresent());
    if (dmi.isPresent()) {
      return Optional.of(new Sign(vendor(dmi.get().text()).orElse("unnamed"), dmi.get().source()));
    }
    return bySign(e);
  }

  private static Optional<Sign> table(Evidence e) {
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
              .flatMap(PlatformChecks::vendor);
      if (vendor.isPresent()) {
        return Optional.of(new Sign(vendor.get() + " by its firmware's tables", Source.file(path)));
      }
    }
    return Optional.empty();
  }

  private static Optional<Sign> bySign(Evidence e) {
    Optional<String> cpuinfo = e.sysroot().text("proc/cpuinfo", 16 * LIMIT);
    if (cpuinfo.isPresent()
        && cpuinfo.get().lines().anyMatch(l -> l.matches("(flags|Features).*\\bhypervisor\\b.*"))) {
      return Optional.of(new Sign("CPU flag hypervisor", Source.file("proc/cpuinfo")));
    }
    if (e.sysroot().exists("sys/hypervisor/type")) {
      return Optional.of(
          new Sign(
              e.sysroot().text("sys/hypervisor/type", LIMIT).map(String::strip).orElse("unnamed"),
              Source.file("sys/hypervisor/type")));
    }
    return e.log()
        .first("Booting paravirtualized kernel on ")
        .filter(h -> !h.text().contains("bare hardware"))
        .map(h -> new Sign(h.text().substring(h.text().lastIndexOf(' ') + 1), h.source()));
  }

  private static Optional<String> vendor(String text) {
    return VENDORS.entrySet().stream()
        .filter(v -> text.contains(v.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private static void container(Sysroot root, Chart chart) {
    Optional<Sign> sign = containerSign(root);
    if (sign.isEmpty()) {
      return;
    }
    Optional<String> own = ownNamespace(root);
    if (own.isEmpty() && sawNamespaces(root)) {
      chart.fine(
          "platform.container",
          "%s is there, but processes are in the kernel's first pid, ipc, uts and cgroup namespaces: no container hides this kernel's devices, the file came with an image"
              .formatted(sign.get().what()),
          Source.file("proc/self/ns"));
      return;
    }
    chart.warns(
        "platform.container",
        "this is a container (%s%s): the kernel, its modules and command line are the host's, /dev holds only what was passed in, and /proc and /sys may be masked"
            .formatted(
                sign.get().what(),
                own.map(n -> ", in a " + n + " namespace of its own").orElse("")),
        sign.get().source(),
        "start it with --device /dev/vfio/vfio --device /dev/vfio/GROUP --ulimit memlock=-1, and load modules and bind drivers on the host");
  }

  private static Optional<Sign> containerSign(Sysroot root) {
    for (String file : List.of(".dockerenv", "run/.containerenv", "run/systemd/container")) {
      if (root.exists(file)) {
        return Optional.of(new Sign("/" + file, Source.file(file)));
      }
    }
    for (String file : List.of("proc/1/cgroup", "proc/self/cgroup")) {
      Optional<String> text = root.text(file, LIMIT);
      Matcher m = CONTAINER_CGROUP.matcher(text.orElse(""));
      if (m.find()) {
        return Optional.of(new Sign("control group of " + m.group(), Source.file(file)));
      }
    }
    return Optional.empty();
  }

  private static boolean sawNamespaces(Sysroot root) {
    return FIRST_NAMESPACES.keySet().stream().allMatch(n -> inode(root, n).isPresent());
  }

  private static Optional<String> ownNamespace(Sysroot root) {
    return FIRST_NAMESPACES.entrySet().stream()
        .filter(n -> inode(root, n.getKey()).map(i -> !i.equals(n.getValue())).orElse(false))
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst();
  }

  private static Optional<Long> inode(Sysroot root, String namespace) {
    return root.linkText("proc/self/ns/" + namespace)
        .map(NAMESPACE::matcher)
        .filter(Matcher::matches)
        .map(m -> Long.parseLong(m.group(1)));
  }
}
