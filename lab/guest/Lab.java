import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// What every program in the guest needs: the report, and the machine as sysfs shows it.
final class Lab {
  /// The name of the machine's file.
  static final String MACHINE = System.getenv().getOrDefault("LAB_MACHINE", "");

  private static final Path DEVICES = Path.of("/sys/bus/pci/devices");
  private static int failures;

  private Lab() {}

  /// Something that may throw anything.
  interface Work {
    void run() throws Exception;
  }

  /// Says on what kernel the program runs, and which of its interfaces will not be tried.
  static void begin() throws IOException {
    // Before it starts its first process Java looks for a logger of processes, along the whole class path: the jars behind this program's own are
    // opened then, and stay open. Looked for here, so that no step may hold a file more than before.
    System.getLogger("java.lang.ProcessBuilder");
    say("kernel " + Files.readString(Path.of("/proc/version")).strip());
    if (!accesses().contains(Access.IOMMUFD)) {
      say("SKIPPED iommufd: this kernel has no /dev/iommu, as no kernel of the distribution's has one; lab/kernel builds one that has");
    }
  }

  static synchronized void say(String line) {
    System.out.println(line);
  }

  static synchronized boolean check(boolean holds, String what) {
    if (!holds) {
      failures++;
    }
    say((holds ? "ok   " : "FAIL ") + what);
    return holds;
  }

  /// Does some work, which must leave no file open and no memory locked.
  static void guarded(String what, Work work) throws IOException {
    Footprint before = Footprint.now();
    try {
      work.run();
    } catch (Exception | AssertionError e) {
      check(false, "%s: failed with %s".formatted(what, e));
      e.printStackTrace();
    }
    Footprint after = Footprint.now();
    check(after.equals(before), "%s: before %s, after %s".formatted(what, before, after));
  }

  /// Checks that something is refused in a way that says why.
  static void refused(String what, Class<? extends Exception> type, Work work) {
    try {
      work.run();
      check(false, what + " is not refused");
    } catch (Exception e) {
      check(type.isInstance(e), "%s: %s: %s".formatted(what, e.getClass().getSimpleName(), e.getMessage()));
    }
  }

  /// Ends the program as the report has it.
  static void end() {
    System.out.flush();
    System.exit(failures == 0 ? 0 : 1);
  }

  /// {@return the kernel's interfaces that this machine has}
  static List<Access> accesses() {
    return Arrays.stream(Access.values())
        .filter(a -> Files.exists(Path.of(a == Access.CONTAINER ? "/dev/vfio/vfio" : "/dev/iommu")))
        .toList();
  }

  /// {@return functions of a kind, ascending}
  static List<Sbdf> find(Kind kind) throws IOException {
    List<Sbdf> out = new ArrayList<>();
    for (Sbdf f : functions()) {
      if (number(f, "vendor") == kind.vendor() && number(f, "device") == kind.device()) {
        out.add(f);
      }
    }
    return out;
  }

  static List<Sbdf> functions() {
    try (Stream<Path> all = Files.list(DEVICES)) {
      return all.map(p -> Sbdf.parse(p.getFileName().toString())).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + DEVICES, e);
    }
  }

  /// {@return whether no other function shares its slot}
  static boolean isAlone(Sbdf f) {
    return functions().stream().filter(o -> o.segment() == f.segment() && o.requesterId() >>> 3 == f.requesterId() >>> 3).count() == 1;
  }

  static Path folder(Sbdf f) {
    return DEVICES.resolve(f.toString());
  }

  static String driver(Sbdf f) throws IOException {
    try {
      return Files.readSymbolicLink(folder(f).resolve("driver")).getFileName().toString();
    } catch (NoSuchFileException e) {
      // None has it, or none any more.
      return "";
    }
  }

  private static int number(Sbdf f, String file) throws IOException {
    return Integer.decode(Files.readString(folder(f).resolve(file)).strip());
  }
}
