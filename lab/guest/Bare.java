import dev.doorbell.linux.HostState;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// A host without an IOMMU: whoever asks for one of its functions is told why it cannot be had, and the function's driver keeps it.
public final class Bare {
  private Bare() {}

  public static void main(String[] none) throws Exception {
    Lab.begin();
    Sbdf f = Lab.find(Kind.E1000E).getFirst();
    HostState before = HostState.of(LinuxOptions.USUAL, List.of(f));
    Lab.check(before.drivers().get(f).equals("e1000e"), "its driver has it: " + before.drivers());
    Lab.guarded("without an IOMMU", () -> {
      Command.refused("doctor", 1, "IOMMU", "doctor", f.toString());
      Command.refused("assign", 1, f + " is behind no IOMMU", "assign", f.toString(), "--on", "linux", "--yes");
      Command.refused(
          "vm", 1, f + " is behind no IOMMU", "vm", "--kernel", "/lab/Image", "--initrd", "/lab/guest.cpio", "--memory", "256M", "--device", f.toString(), "--yes");
    });
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "everything is as before " + left);
    Lab.end();
  }
}
