import dev.doorbell.linux.HostState;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// `doorbell vm` as its user runs it, ended from outside: by Ctrl-C while it starts and while its guest waits, and by a kill. The next one finds
/// everything free, each time.
public final class VmEnds {
  private VmEnds() {}

  public static void main(String[] none) throws Exception {
    Lab.begin();
    Sbdf f = Lab.find(Kind.NVME).getFirst();
    HostState before = HostState.of(LinuxOptions.USUAL, List.of(f));
    Lab.guarded("vm, Ctrl-C at its start", () -> ended(f, before, "vm-start", "INT", false));
    Lab.guarded("vm, Ctrl-C in the guest", () -> ended(f, before, "vm-waits", "INT", true));
    Lab.guarded("vm, TERM in the guest", () -> ended(f, before, "vm-term", "TERM", true));
    Lab.guarded("vm, killed", () -> killed(f, before));
    Lab.end();
  }

  private static void ended(Sbdf f, HostState before, String name, String signal, boolean guestWaits) throws Exception {
    Command c = start(name, f);
    Lab.check(Waiting.until(() -> !c.process().isAlive() || Lab.driver(f).equals("vfio-pci")), name + ": the function is taken");
    if (guestWaits) {
      Lab.check(c.prints("guest: asks"), name + ": the guest waits for what is typed");
      Lab.check(c.printed().contains("guest: driver nvme"), name + ": its driver has the function");
      another(name, f);
    }
    c.signal(signal);
    int status = c.end();
    Lab.check(status == 1, "%s: ended by %s with exit status %d".formatted(name, signal, status));
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), name + ": everything is as before " + before.drivers() + left);
  }

  /// What a guest has is no other's, and the guest keeps it.
  private static void another(String name, Sbdf f) throws Exception {
    Command.refused(name + "-another", 1, f.toString(), arguments(f));
    Lab.check(Lab.driver(f).equals("vfio-pci"), name + ": the guest keeps it");
  }

  private static void killed(Sbdf f, HostState before) throws Exception {
    Command first = start("vm-killed", f);
    Lab.check(first.prints("guest: asks"), "killed: the guest waits for what is typed");
    first.kill();
    Lab.check(Lab.driver(f).equals("vfio-pci"), "killed: the function is still with vfio-pci");
    Command second = start("vm-second", f);
    Lab.check(second.prints("guest: asks"), "killed: the next machine finds all free, and its guest gets as far");
    second.interrupt();
    second.end();
    Lab.check(Lab.driver(f).equals("vfio-pci"), "killed: the next one leaves it as it was found");
    Kill.giveBack(f, before.drivers().getOrDefault(f, ""));
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "killed: given back by hand, as before " + left);
  }

  private static Command start(String name, Sbdf f) throws Exception {
    return Command.start(name, arguments(f));
  }

  private static String[] arguments(Sbdf f) {
    return new String[] {
      "vm", "--kernel", "/lab/Image", "--initrd", "/lab/guest.cpio", "--append", "quiet asks", "--memory", "256M", "--device", f.toString(), "--yes"
    };
  }
}
