import dev.doorbell.linux.HostState;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// `doorbell vm` with what cannot be used, on a host where everything else is there: it says so, and touches nothing.
public final class VmInput {
  private static final String KERNEL = "/lab/Image";
  private static final String INITRD = "/lab/guest.cpio";
  private static final Path KVM = Path.of("/dev/kvm");
  private static final Path AWAY = Path.of("/dev/kvm.away");

  private VmInput() {}

  public static void main(String[] none) throws Exception {
    Lab.begin();
    Sbdf f = Lab.find(Kind.NVME).getFirst();
    HostState before = HostState.of(LinuxOptions.USUAL, List.of(f));
    String driver = before.drivers().get(f);
    Lab.guarded("vm, bad input", () -> {
      Path small = Path.of("/tmp/small");
      Files.write(small, new byte[] {0x1f, (byte) 0x8b, 8, 0});
      refused("vm-no-kernel", 2, "/lab/none", "/lab/none", INITRD, "256M", f.toString(), "--yes");
      refused("vm-folder", 2, "/lab", "/lab", INITRD, "256M", f.toString(), "--yes");
      refused("vm-other-kernel", 1, "cannot be started", INITRD, INITRD, "256M", f.toString(), "--yes");
      refused("vm-short-kernel", 1, "it has 4 bytes", small.toString(), INITRD, "256M", f.toString(), "--yes");
      refused("vm-no-initrd", 2, "/lab/none", KERNEL, "/lab/none", "256M", f.toString(), "--yes");
      refused("vm-little-memory", 1, "memory", KERNEL, INITRD, "16M", f.toString(), "--yes");
      refused("vm-odd-memory", 2, "--memory 100", KERNEL, INITRD, "100", f.toString(), "--yes");
      refused("vm-nonsense", 2, "nonsense", KERNEL, INITRD, "256M", "nonsense", "--yes");
      refused("vm-nobody", 2, "0000:00:1e.7", KERNEL, INITRD, "256M", "0000:00:1e.7", "--yes");
      refused("vm-in-use", 1, driver, KERNEL, INITRD, "256M", f.toString(), "--append=");
      Files.move(KVM, AWAY);
      try {
        refused("vm-no-kvm", 1, "/dev/kvm", KERNEL, INITRD, "256M", f.toString(), "--yes");
      } finally {
        Files.move(AWAY, KVM);
      }
    });
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "bad input: everything is as before " + before.drivers() + left);
    Lab.end();
  }

  private static void refused(String name, int status, String words, String kernel, String initrd, String memory, String f, String more) throws Exception {
    Command.refused(name, status, words, "vm", "--kernel", kernel, "--initrd", initrd, "--memory", memory, "--device", f, more);
  }
}
