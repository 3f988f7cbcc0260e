import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.VirtualFunctions;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// VFs of an igb: made, one of them assigned, each of its vectors raised by the VF itself, and taken away again.
final class Virtual {
  private static final int VFS = 2;
  private static final int VECTORS = 3;

  private Virtual() {}

  static void all(Access access) throws Exception {
    Lab.check(!Lab.find(Kind.IGB).isEmpty(), access + ": there is a function that makes VFs");
    for (Sbdf physical : Lab.find(Kind.IGB)) {
      Lab.guarded(access + " VFs of " + physical, () -> one(access, physical));
    }
  }

  private static void one(Access access, Sbdf physical) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    int before = Lab.functions().size();
    Lab.refused(access + " more VFs than there are", VirtualFunctions.Refusing.class, () -> VirtualFunctions.create(options, physical, 1000).close());
    // A VF works only while its physical function does, which the host's driver switches on with its interface.
    up(physical);
    try (VirtualFunctions v = VirtualFunctions.create(options, physical, VFS)) {
      List<Sbdf> made = v.functions();
      Lab.check(made.size() == VFS && Lab.functions().size() == before + VFS, access + " VFs " + made);
      Lab.check(Lab.driver(made.getFirst()).isEmpty(), access + " VFs have no driver by themselves");
      for (Sbdf f : made) {
        vectors("%s VF %s".formatted(access, f), access, f);
      }
    }
    Lab.check(Lab.functions().size() == before, access + " VFs are gone");
  }

  private static void vectors(String what, Access access, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f)) {
      Raiser raiser = new Raiser.IgbVirtual(a.device().region(RegionType.BAR0));
      Signals signals = new Signals(what, raiser, VECTORS);
      int enabled = a.device().enable(IrqType.MSIX, 1, signals.counters());
      Lab.check(enabled == VECTORS, "%s has %d vectors".formatted(what, enabled));
      raiser.arm();
      signals.rounds("raised by the VF");
      a.device().mask(1, true);
      raiser.raise(1);
      Lab.check(signals.isQuiet(1), what + ": nothing while vector 1 is masked");
      a.device().mask(1, false);
      Lab.check(signals.comes(1), what + ": vector 1 fires once it is unmasked");
      a.device().disable();
      signals.settle();
      raiser.raise(0);
      Lab.check(signals.isQuiet(0), what + ": nothing once disabled");
    }
  }

  private static void up(Sbdf physical) throws Exception {
    String name;
    try (Stream<Path> interfaces = Files.list(Lab.folder(physical).resolve("net"))) {
      name = interfaces.findFirst().orElseThrow(() -> new IOException(physical + " has no interface")).getFileName().toString();
    }
    int status = new ProcessBuilder("ip", "link", "set", name, "up").inheritIO().start().waitFor();
    Path carrier = Path.of("/sys/class/net", name, "operstate");
    boolean works = status == 0 && Waiting.until(() -> Files.readString(carrier).strip().equals("up"));
    Lab.check(works, "%s: the host's interface %s is up".formatted(physical, name));
  }
}
