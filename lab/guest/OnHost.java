import dev.doorbell.bus.RegisterBus;
import dev.doorbell.linux.HostState;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LiveTrace;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// `doorbell assign --on linux` as its user runs it: a process of its own, whose device is made to interrupt from outside, which is traced meanwhile,
/// and ended by Ctrl-C.
public final class OnHost {
  private static final int VECTORS = 5;
  private static final int ROUNDS = 20;
  private static final int RAISED = 2;
  private static final int MASKED = 1;
  private static final int SILENT = 3;
  private static final int ENTRY = 16;
  private static final int CONTROL = 12;

  private OnHost() {}

  public static void main(String[] none) throws Exception {
    Lab.begin();
    Sbdf f = Lab.find(Kind.E1000E).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    HostState before = HostState.of(LinuxOptions.USUAL, List.of(f));
    Lab.guarded("lacking", () -> lacking(f));
    Lab.guarded("refusal", () -> refused(f, before));
    Lab.guarded("session", () -> session(f));
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "after Ctrl-C everything is as before " + before.drivers() + left);
    Lab.guarded("shown", () -> shown(f));
    left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "after TERM everything is as before " + before.drivers() + left);
    Lab.guarded("killed", () -> killed(f, before));
    Lab.guarded("again", () -> again(f));
    left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "after --count everything is as before " + before.drivers() + left);
    Lab.end();
  }

  /// On a distribution's kernel: iommufd, which it has not, and vfio-pci, which is a module there.
  private static void lacking(Sbdf f) throws Exception {
    if (!Lab.accesses().contains(LinuxOptions.Access.IOMMUFD)) {
      Command.refused("assign-iommufd", 1, "this kernel has no iommufd", "assign", f.toString(), "--on", "linux", "--yes", "--access", "iommufd");
    }
    Path wanted = Path.of("/lib/modules/wanted");
    if (Files.exists(wanted)) {
      module("rmmod", "vfio_pci");
      Command.refused("assign-no-module", 1, "modprobe vfio-pci", "assign", f.toString(), "--on", "linux", "--yes");
      module("modprobe", "vfio-pci");
    }
  }

  private static void module(String... command) throws Exception {
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    Lab.check(status == 0, String.join(" ", command));
  }

  private static void refused(Sbdf f, HostState before) throws Exception {
    if (before.drivers().isEmpty()) {
      Lab.say(f + " has no driver that could be in use");
      return;
    }
    Command c = Command.start("polite", "assign", f.toString(), "--on", "linux", "--json");
    Lab.check(c.end() == 1, "without --yes exit status 1");
    Lab.check(c.printed().contains("\"DriverInUse\"") && c.printed().contains(before.drivers().get(f)), "refused as DriverInUse, with the driver's name");
    Lab.check(before.differences(HostState.of(LinuxOptions.USUAL, List.of(f))).isEmpty(), "and nothing was touched");
  }

  private static void session(Sbdf f) throws Exception {
    Command c = Command.start("session", "assign", f.toString(), "--on", "linux", "--yes", "--json");
    awaitVectors(f, c);
    try (Arena arena = Arena.ofConfined()) {
      Raiser raiser = new Raiser.E1000e(map(f, 0, arena));
      raiser.arm();
      settle(raiser);
      traces(f, raiser, map(f, 3, arena));
      traced(f, raiser);
      stopped(f, map(f, 3, arena));
    }
    c.interrupt();
    Lab.check(c.end() == 0, "Ctrl-C ends it with exit status 0");
    Lab.check(c.count(RAISED) >= ROUNDS, "it counted %d on vector %d".formatted(c.count(RAISED), RAISED));
    Lab.check(c.count(SILENT) == 0, "and %d on vector %d".formatted(c.count(SILENT), SILENT));
    Lab.check(!c.printed().contains("\"predicted\" : false"), "what it predicted is what the kernel programmed, where it predicted");
    Lab.check(c.printed().replaceAll("\\s", "").contains("\"left\":[]"), "and it says that nothing is left");
  }

  /// A vector that works, one that is masked, and one whose device does not fire.
  private static void traces(Sbdf f, Raiser raiser, RegisterBus table) {
    LiveTrace works = LiveTrace.watch(LinuxOptions.USUAL, f, RAISED, () -> counted(f, raiser));
    show(works);
    Lab.check(works.delivered() && works.stoppedAt().isEmpty(), "trace of a vector that works: %s counted, no stop".formatted(works.counted()));
    Lab.check(works.counted().orElse(0) >= ROUNDS, "the kernel counted " + works.counted());
    long at = MASKED * ENTRY + CONTROL;
    table.write32(at, table.read32(at) | 1);
    LiveTrace masked = LiveTrace.watch(LinuxOptions.USUAL, f, MASKED, () -> unseen(raiser));
    show(masked);
    Lab.check(masked.stoppedAt().equals(Optional.of("mask")), "trace of a masked vector stops at " + masked.stoppedAt());
    table.write32(at, table.read32(at) & ~1);
    settle(raiser);
    LiveTrace silent = LiveTrace.watch(LinuxOptions.USUAL, f, SILENT, () -> pause(200));
    show(silent);
    Lab.check(silent.stoppedAt().equals(Optional.of("raise")), "trace of a vector whose device does not fire stops at " + silent.stoppedAt());
  }

  /// The same by the command line, in a third process.
  private static void traced(Sbdf f, Raiser raiser) throws Exception {
    Command t = Command.start("trace", "trace", f.toString(), "--vector", "" + RAISED, "--on", "linux", "--watch");
    for (int i = 0; i < Waiting.PATIENCE_MILLIS / 200 && !t.printed().contains("delivered"); i++) {
      raiser.raise(RAISED);
      pause(200);
      raiser.clear();
    }
    t.interrupt();
    t.end();
    Lab.check(t.printed().contains("delivered: the kernel counted"), "trace --watch says delivered");
  }

  /// The same of vectors that stop, and of what is not there.
  private static void stopped(Sbdf f, RegisterBus table) throws Exception {
    long at = MASKED * ENTRY + CONTROL;
    table.write32(at, table.read32(at) | 1);
    Command.refused("trace-masked", 1, "first stop without movement: ", trace(f.toString(), MASKED));
    table.write32(at, table.read32(at) & ~1);
    Command.refused("trace-silent", 1, "first stop without movement: raise", trace(f.toString(), SILENT));
    Command.refused("trace-beyond", 2, "vector 99", trace(f.toString(), 99));
    Command.refused("trace-nobody", 2, "0000:00:1e.7", trace("0000:00:1e.7", 0));
    Command.refused("trace-nonsense", 2, "nonsense", trace("nonsense", 0));
    Command.refused("assign-taken", 1, f.toString(), "assign", f.toString(), "--on", "linux", "--yes");
    Command.refused("assign-nobody", 2, "0000:00:1e.7", "assign", "0000:00:1e.7", "--on", "linux", "--yes");
    Lab.check(vectors(f) == VECTORS && isMaster(f), "and who has it keeps its vectors");
  }

  private static String[] trace(String function, int vector) {
    return new String[] {"trace", function, "--vector", "" + vector, "--on", "linux", "--for", "1"};
  }

  /// As a person sees it: counts that climb while it runs.
  private static void shown(Sbdf f) throws Exception {
    Command c = Command.start("shown", "assign", f.toString(), "--on", "linux", "--yes");
    awaitVectors(f, c);
    try (Arena arena = Arena.ofConfined()) {
      Raiser raiser = new Raiser.E1000e(map(f, 0, arena));
      raiser.arm();
      for (int lines = 1; lines <= 2; lines++) {
        int wanted = lines;
        boolean came = Waiting.until(() -> {
          raiser.raise(RAISED);
          pause(100);
          raiser.clear();
          return !c.process().isAlive() || c.printed().lines().filter(l -> l.contains(f + " vector " + RAISED + ": ")).count() >= wanted;
        });
        Lab.check(came && c.process().isAlive(), "line %d of what came on vector %d, while it runs".formatted(lines, RAISED));
      }
    }
    c.signal("TERM");
    Lab.check(c.end() == 0, "TERM ends it with exit status 0");
    c.printed().lines().forEach(l -> Lab.say("  | " + l));
    Lab.check(c.printed().contains("everything is as before"), "and it says so");
  }

  /// What is killed gives nothing back; all is free all the same but the function's driver.
  private static void killed(Sbdf f, HostState before) throws Exception {
    Command c = Command.start("killed", "assign", f.toString(), "--on", "linux", "--yes", "--json");
    awaitVectors(f, c);
    c.kill();
    Lab.check(Lab.driver(f).equals("vfio-pci") && vectors(f) == 0, "killed: still with vfio-pci, its vectors are gone");
    again(f);
    Lab.check(Lab.driver(f).equals("vfio-pci"), "killed: the next one leaves it as it was found");
    Kill.giveBack(f, before.drivers().getOrDefault(f, ""));
    Lab.check(before.differences(HostState.of(LinuxOptions.USUAL, List.of(f))).isEmpty(), "killed: given back by hand, as before");
  }

  private static void again(Sbdf f) throws Exception {
    Command c =
        Command.start(
            "again", "assign", f.toString(), "--on", "linux", "--yes", "--max", "2", "--access", "container", "--loopback", "--count", "2", "--for", "60", "--json");
    Lab.check(c.end() == 0, "by a container, with the kernel's own signals: exit status 0");
    Lab.check(c.count(0) == 1 && c.count(1) == 1, "one signal on each of two vectors");
  }

  /// Bus Master Enable follows the vectors.
  private static void awaitVectors(Sbdf f, Command c) throws Exception {
    Waiting.until(() -> !c.process().isAlive() || vectors(f) == VECTORS && isMaster(f));
    Lab.check(vectors(f) == VECTORS && isMaster(f), "vectors enabled by the command, which lets the function master the bus: " + vectors(f));
  }

  private static int vectors(Sbdf f) throws IOException {
    Path irqs = Lab.folder(f).resolve("msi_irqs");
    if (!Lab.driver(f).equals("vfio-pci") || !Files.isDirectory(irqs)) {
      return 0;
    }
    try (Stream<Path> all = Files.list(irqs)) {
      return (int) all.count();
    }
  }

  private static boolean isMaster(Sbdf f) throws IOException {
    return (Files.readAllBytes(Lab.folder(f).resolve("config"))[4] & 4) != 0;
  }

  /// One message at a time: the next is raised once the kernel has counted the last.
  private static void counted(Sbdf f, Raiser raiser) {
    try {
      for (int i = 0; i < ROUNDS; i++) {
        long before = interrupts(f, RAISED);
        raiser.raise(RAISED);
        boolean came = Waiting.until(() -> interrupts(f, RAISED) > before);
        raiser.clear();
        if (!came) {
          Lab.check(false, "message %d of vector %d is counted by the kernel".formatted(i, RAISED));
          return;
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// Messages that nobody is to see: there is nothing to wait for.
  private static void unseen(Raiser raiser) {
    for (int i = 0; i < ROUNDS; i++) {
      raiser.raise(MASKED);
      pause(10);
      raiser.clear();
    }
  }

  /// {@return how many interrupts of a vector all processors took: the kernel numbers a function's vectors ascending}
  private static long interrupts(Sbdf f, int vector) throws IOException {
    int number;
    try (Stream<Path> all = Files.list(Lab.folder(f).resolve("msi_irqs"))) {
      number = all.map(p -> Integer.valueOf(p.getFileName().toString())).sorted().toList().get(vector);
    }
    for (String l : Files.readAllLines(Path.of("/proc/interrupts"))) {
      String[] words = l.strip().split("\\s+");
      if (words[0].equals(number + ":")) {
        long sum = 0;
        for (int i = 1; i < words.length && words[i].matches("[0-9]+"); i++) {
          sum += Long.parseLong(words[i]);
        }
        return sum;
      }
    }
    throw new IOException("/proc/interrupts has no line for interrupt " + number);
  }

  private static void settle(Raiser raiser) {
    raiser.clear();
    pause(300);
  }

  private static void show(LiveTrace t) {
    t.hops().forEach(h -> Lab.say("  %s: %s -> %s (%s): %s".formatted(h.hop().at(), h.hop().in(), h.hop().out(), h.movement(), h.hop().why())));
    t.unseen().forEach(u -> Lab.say("  cannot see %s: %s".formatted(u.what(), u.why())));
  }

  private static RegisterBus map(Sbdf f, int bar, Arena arena) throws IOException {
    Path file = Lab.folder(f).resolve("resource" + bar);
    try (FileChannel ch = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment m = ch.map(FileChannel.MapMode.READ_WRITE, 0, ch.size(), arena);
      return new RegisterBus() {
        @Override
        public long read(long offset, int bytes) {
          return Integer.toUnsignedLong(m.get(ValueLayout.JAVA_INT, offset));
        }

        @Override
        public void write(long offset, long value, int bytes) {
          m.set(ValueLayout.JAVA_INT, offset, (int) value);
        }
      };
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
