import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.Group;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A machine whose MSI controller takes any writer's messages: refused, by this library for its user and by the kernel for its administrator,
/// until both allow it. Leaves the administrator's leave behind.
final class Unsafe {
  private Unsafe() {}

  static void all(Access access) throws Exception {
    Sbdf f = Lab.find(Kind.EDU).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    String what = access + " without isolated interrupts";
    ContainerOptions agreed = ContainerOptions.USUAL.withUnsafeInterrupts();
    Lab.guarded(what, () -> {
      try (DriverBinding bound = DriverBinding.toVfio(LinuxOptions.USUAL.with(access), f)) {
        allow(false);
        refused(what + ", nobody allows it", access, f, ContainerOptions.USUAL);
        refused(what + ", the user allows it and the kernel's administrator not", access, f, agreed);
        allow(true);
        refused(what + ", the administrator allows it and the user not", access, f, ContainerOptions.USUAL);
        attach(access, f, agreed);
        Lab.check(true, what + ": attached once both allow it");
      }
    });
  }

  private static void refused(String what, Access access, Sbdf f, ContainerOptions options) {
    Lab.refused(what, NotIsolated.class, () -> attach(access, f, options));
  }

  private static void attach(Access access, Sbdf f, ContainerOptions options) {
    try (LinuxVfio vfio = LinuxVfio.open(LinuxOptions.USUAL.with(access));
        Container c = vfio.open(options)) {
      Group g = vfio.group(f);
      c.attach(g);
      try (Device d = g.open(f)) {
        Lab.check(d.config().read16(0) == Kind.EDU.vendor(), "the function answers");
      }
    }
  }

  private static void allow(boolean allowed) throws IOException {
    for (String module : List.of("vfio_iommu_type1", "iommufd")) {
      Path p = Path.of("/sys/module", module, "parameters/allow_unsafe_interrupts");
      if (Files.exists(p)) {
        Files.writeString(p, allowed ? "Y" : "N");
      }
    }
  }
}
