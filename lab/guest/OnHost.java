import dev.doorbell.bus.RegisterBus;
import dev.doorbell.linux.HostState;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LiveTrace;
import dev.doorbell.pci.Sbdf;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// `doorbell assign --on linux` as its user runs it: a process of its own, whose device is made to interrupt from outside, which is traced meanwhile,
/// and ended by Ctrl-C.
public final class OnHost {
  private static final int VECTORS = 5;
  private static final int ROUNDS = 20;
  private static final int RAISED = 2;
  private static final int MASKED = 1;
  private static final int SILENT = 3;
  private static final int PATIENCE_MILLIS = 600_000;
  private static final int ENTRY = 16;
  private static final int CONTROL = 12;

  private OnHost() {}

  public static void main(String[] none) throws Exception {
    Sbdf f = Lab.find(Kind.E1000E).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    HostState before = HostState.of(LinuxOptions.USUAL, List.of(f));
    // Before it starts its first process Java looks for a logger of processes, along the whole class path: the jars behind this program's own are
    // opened then, and stay open. Looked for here, so that no step may hold a file more than before.
    System.getLogger("java.lang.ProcessBuilder");
    Lab.guarded("refusal", () -> refused(f, before));
    Lab.guarded("session", () -> session(f));
    List<String> left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "after Ctrl-C everything is as before " + before.drivers() + left);
    Lab.guarded("again", () -> again(f));
    left = before.differences(HostState.of(LinuxOptions.USUAL, List.of(f)));
    Lab.check(left.isEmpty(), "after --count everything is as before " + before.drivers() + left);
    Lab.end();
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
    LiveTrace works = LiveTrace.watch(LinuxOptions.USUAL, f, RAISED, () -> rounds(raiser, RAISED));
    show(works);
    Lab.check(works.delivered() && works.stoppedAt().isEmpty(), "trace of a vector that works: %s counted, no stop".formatted(works.counted()));
    Lab.check(works.counted().orElse(0) >= ROUNDS, "the kernel counted " + works.counted());
    long at = MASKED * ENTRY + CONTROL;
    table.write32(at, table.read32(at) | 1);
    LiveTrace masked = LiveTrace.watch(LinuxOptions.USUAL, f, MASKED, () -> rounds(raiser, MASKED));
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
    for (int i = 0; i < PATIENCE_MILLIS / 200 && !t.printed().contains("delivered"); i++) {
      raiser.raise(RAISED);
      pause(200);
      raiser.clear();
    }
    t.interrupt();
    t.end();
    Lab.check(t.printed().contains("delivered: the kernel counted"), "trace --watch says delivered");
  }

  private static void again(Sbdf f) throws Exception {
    Command c =
        Command.start(
            "again", "assign", f.toString(), "--on", "linux", "--yes", "--max", "2", "--access", "container", "--loopback", "--count", "2", "--for", "60", "--json");
    Lab.check(c.end() == 0, "by a container, with the kernel's own signals: exit status 0");
    Lab.check(c.count(0) == 1 && c.count(1) == 1, "one signal on each of two vectors");
  }

  private static void awaitVectors(Sbdf f, Command c) throws IOException {
    int seen = 0;
    for (int i = 0; i < PATIENCE_MILLIS / 100 && seen < VECTORS && c.process.isAlive(); i++) {
      pause(100);
      Path irqs = Lab.folder(f).resolve("msi_irqs");
      if (Lab.driver(f).equals("vfio-pci") && Files.isDirectory(irqs)) {
        try (Stream<Path> all = Files.list(irqs)) {
          seen = (int) all.count();
        }
      }
    }
    // Bus Master Enable follows the vectors.
    pause(2000);
    Lab.check(seen == VECTORS, "vectors enabled by the command: " + seen);
  }

  private static void rounds(Raiser raiser, int vector) {
    for (int i = 0; i < ROUNDS; i++) {
      raiser.raise(vector);
      pause(10);
      raiser.clear();
    }
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

  /// `doorbell` in a process of its own.
  private record Command(Process process, Path out) {
    /// Instead of a pipe, which would stay open here.
    private static final File NOTHING = new File("/dev/null");

    static Command start(String name, String... arguments) throws IOException {
      List<String> line =
          new ArrayList<>(
              List.of("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED", "dev.doorbell.cli.Main"));
      line.addAll(List.of(arguments));
      Path out = Path.of("/tmp", name + ".out");
      Lab.say("doorbell " + String.join(" ", arguments));
      return new Command(new ProcessBuilder(line).redirectInput(NOTHING).redirectOutput(out.toFile()).redirectError(Path.of("/lab", name + ".err").toFile()).start(), out);
    }

    void interrupt() throws Exception {
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).inheritIO().start().waitFor();
    }

    int end() throws Exception {
      if (!process.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        Lab.check(false, "the command did not end");
      }
      Files.copy(out, Path.of("/lab").resolve(out.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
      return process.waitFor();
    }

    String printed() throws IOException {
      return Files.exists(out) ? Files.readString(out) : "";
    }

    /// {@return how many signals the document says came on a vector}
    long count(int vector) throws IOException {
      String all = printed().replaceAll("\\s", "");
      int at = all.indexOf("\"vector\":%d,".formatted(vector));
      int count = at < 0 ? -1 : all.indexOf("\"count\":", at);
      return count < 0 ? -1 : Long.parseLong(all.substring(count + 8, all.indexOf(',', count)));
    }
  }
}
