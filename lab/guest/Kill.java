import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// A process with vectors enabled, memory mapped and interrupts arriving is killed; a second one must find everything free.
public final class Kill {
  private static final String READY = "under load";
  private static final String FREE = "all free";

  private Kill() {}

  static void all(Access access) throws Exception {
    // What the virtual machine opens with its first child stays open.
    var unused = new ProcessBuilder("/bin/true").start().waitFor();
    Kind kind = access == Access.CONTAINER ? Kind.IGB : Kind.NVME;
    Lab.check(Lab.find(kind).stream().anyMatch(Lab::isAlone), "%s: there is a %s to work with".formatted(access, kind));
    for (Sbdf f : Lab.find(kind)) {
      if (Lab.isAlone(f)) {
        String what = "%s process with %s %s killed".formatted(access, kind, f);
        Lab.guarded(what, () -> one(what, access, kind, f));
      }
    }
  }

  private static void one(String what, Access access, Kind kind, Sbdf f) throws Exception {
    String before = Lab.driver(f);
    Process first = child(access, kind, f, "load");
    Lab.check(said(first, READY), what + ": in the middle of its work");
    var killed = first.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    Lab.check(first.exitValue() == 137, "%s: it ended with %d".formatted(what, first.exitValue()));
    Lab.check(Lab.driver(f).equals("vfio-pci"), what + ": the function is still with vfio-pci");
    Process second = child(access, kind, f, "check");
    Lab.check(said(second, FREE), what + ": a second process finds group, vectors and IOVAs free");
    Lab.check(second.waitFor(30, TimeUnit.SECONDS) && second.exitValue() == 0, what + ": the second process ends well");
    giveBack(f, before);
    Lab.check(Lab.driver(f).equals(before), "%s: given back to '%s'".formatted(what, before));
  }

  /// The killed process could not: its function is taken from vfio-pci as a person would do it.
  static void giveBack(Sbdf f, String driver) throws IOException {
    java.nio.file.Files.writeString(Lab.folder(f).resolve("driver/unbind"), f + "\n");
    java.nio.file.Files.writeString(Lab.folder(f).resolve("driver_override"), "\n");
    if (!driver.isEmpty()) {
      java.nio.file.Files.writeString(Path.of("/sys/bus/pci/drivers_probe"), f + "\n");
    }
  }

  private static Process child(Access access, Kind kind, Sbdf f, String role) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "Kill",
            access.name(),
            kind.name(),
            f.toString(),
            role)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static boolean said(Process p, String line) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8));
    for (String l = in.readLine(); l != null; l = in.readLine()) {
      if (l.equals(line)) {
        return true;
      }
      Lab.say("  child: " + l);
    }
    return false;
  }

  /// The child.
  public static void main(String[] arguments) throws Exception {
    Access access = Access.valueOf(arguments[0]);
    Kind kind = Kind.valueOf(arguments[1]);
    Sbdf f = Sbdf.parse(arguments[2]);
    boolean load = arguments[3].equals("load");
    try (Assigned a = Assigned.of(access, f);
        Raiser raiser = Raiser.of(kind, a.container(), a.device())) {
      Signals signals = new Signals("child", raiser, kind.vectors());
      var unused = a.device().enable(kind.irqs(), kind.vectors(), signals.counters());
      raiser.arm();
      if (!load) {
        signals.rounds("in the second process");
      }
      for (long i = 0; load; i++) {
        if (!signals.fires((int) (i % kind.vectors()))) {
          throw new AssertionError("no signal");
        }
        raiser.clear();
        if (i == 50) {
          System.out.println(READY);
          System.out.flush();
        }
      }
    }
    System.out.println(FREE);
    Lab.end();
  }
}
