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
  private static final Pattern CONTAINER_CGROUP =
      Pattern.compile("docker|kubepods|containerd|libpod|lxc|crio|nspawn");
  private static final Pattern NAMESPACE = Pattern.compile("\\w+:\\[(\\d+)\\]");

  /// Inode numbers of the namespaces that the kernel starts with (`PROC_*_INIT_INO`, include/linux/proc_ns.h).
  private static final Map<String, Long> FIRST_NAMESPACES =
      Map.of("pid", 0xeffffffcL, "ipc", 0xefffffffL, "uts", 0xeffffffeL, "cgroup", 0xeffffffbL);

  private record Sign(String what, Source source) {}

  @Override
  public void check(Evidence e, Chart chart) {
    Hypervisor.of(e).ifPresent(by -> inside(e, by, chart));
    container(e.sysroot(), chart);
  }

  private static void inside(Evidence e, Hypervisor by, Chart chart) {
    boolean iommu = e.iommuRuns().orElse(!e.machine().iommus().isEmpty());
    String what = "this is a virtual machine (" + by.sign() + ")";
    if (iommu) {
      chart.fine(
          "platform.vm",
          what + ", and its hypervisor gives it an IOMMU: functions can be passed on from here",
          by.source());
    } else {
      chart.warns(
          "platform.vm",
          what
              + ": its PCI functions are those that the hypervisor made or passed in, and they can be passed on only behind a virtual IOMMU",
          by.source(),
          by.cure(e.machine().arch()));
    }
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
