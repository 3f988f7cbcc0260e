package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// One running QEMU: its two connections and its RAM. The machine is stopped before the first instruction of its CPUs and stays so: its
/// devices work all the same.
///
/// It is ended by {@link #close}, at the end of this process however that comes, and by every {@link QemuException} but
/// {@link QemuRefused}. **Threads**: safe.
public final class QemuProcess implements AutoCloseable {
  /// Stands for the line that was sent, where none was.
  static final String START = "(start)";

  private static final long TICK_MILLIS = 100;
  private static final int QTEST_LINE = 0x10_0000;
  private static final int QMP_LINE = 0x100_0000;
  private static final long DEATH_SECONDS = 2;

  private final QemuBinary binary;
  private final Duration patience;
  private final Workplace place;
  private final Wrapper wrapper;
  private final Arena arena = Arena.ofShared();
  private final GuestRam ram;
  private final List<Link> links = new CopyOnWriteArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicReference<Ending> ending = new AtomicReference<>();
  private final AtomicInteger startTicks = new AtomicInteger();
  private final Thread watch;
  private final Thread hook = new Thread(this::kill, "qemu-end");
  private final Qmp qmp;
  private final Qtest qtest;

  /// What to start.
  ///
  /// @param machine value of `-machine`, such as `virt,gic-version=3,its=on,iommu=smmuv3`
  /// @param ram where the machine has its RAM
  /// @param arguments further arguments, such as `-cpu`, `-device`
  /// @param patience how long one exchange may take, the start included
  /// @param accelerator value of `-accel`: `tcg`, which every build has, or `qtest`, whose clock is stepped by command and which
  /// distributions may leave out
  /// @param halted whether CPUs whose first instruction is in firmware (x86) find one there that halts them for good
  public record Settings(
      QemuBinary binary,
      String machine,
      AddressRange ram,
      List<String> arguments,
      Duration patience,
      String accelerator,
      boolean halted) {
    public Settings {
      arguments = List.copyOf(arguments);
    }

    /// Settings with `tcg`, and with the machine's own firmware, which does not run while the machine is stopped.
    public Settings(
        QemuBinary binary,
        String machine,
        AddressRange ram,
        List<String> arguments,
        Duration patience) {
      this(binary, machine, ram, arguments, patience, "tcg", false);
    }

    /// {@return the same with another accelerator}
    public Settings withAccelerator(String other) {
      return new Settings(binary, machine, ram, arguments, patience, other, halted);
    }

    /// {@return the same with CPUs that halt}
    public Settings withHaltedCpus() {
      return new Settings(binary, machine, ram, arguments, patience, accelerator, true);
    }
  }

  /// How QEMU came to its end: drivers that clean up go on asking, and what they hear is this and not that nobody is there any more.
  ///
  /// @param how it ended
  /// @param sent the line that had no answer
  private record Ending(String how, String sent) {}

  private QemuProcess(Settings settings, Workplace place) throws IOException {
    binary = settings.binary();
    patience = settings.patience();
    this.place = place;
    boolean done = false;
    try {
      ram = new GuestRam(place.ram(settings.ram().bytes(), arena), settings.ram().start());
      if (settings.halted()) {
        place.put(Workplace.FIRMWARE, HaltingFirmware.image());
      }
      wrapper = new Wrapper(command(settings, place), place.folder());
      watch = Thread.ofPlatform().daemon().name("qemu-watch").unstarted(this::watch);
      done = true;
    } finally {
      if (!done) {
        arena.close();
      }
    }
    done = false;
    try {
      Runtime.getRuntime().addShutdownHook(hook);
      watch.start();
      startTicks.set(patienceTicks());
      Link forQtest = accept(place.qtest, QTEST_LINE);
      Link forQmp = accept(place.qmp, QMP_LINE);
      startTicks.set(0);
      qmp = Qmp.greet(this, forQmp);
      qtest = Qtest.greet(this, forQtest);
      place.connected();
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /// {@return a QEMU that has answered its first commands}
  ///
  /// @throws QemuException when it cannot be started, is too old, ends, or does not answer as QEMU does
  public static QemuProcess start(Settings settings) {
    Workplace place = Workplace.open();
    boolean done = false;
    try {
      QemuProcess qemu = new QemuProcess(settings, place);
      done = true;
      return qemu;
    } catch (QemuDied e) {
      // An old one may not even know the arguments.
      QemuBinary binary = settings.binary();
      QemuVersion found = binary.version().orElse(QemuVersion.LEAST);
      if (found.compareTo(QemuVersion.LEAST) >= 0) {
        throw e;
      }
      QemuTooOld tooOld = new QemuTooOld(binary, found, QemuVersion.LEAST);
      tooOld.addSuppressed(e);
      throw tooOld;
    } catch (IOException e) {
      throw new QemuUnstartable("a process", e);
    } finally {
      if (!done) {
        place.close();
      }
    }
  }

  private static List<String> command(Settings s, Workplace place) {
    long bytes = s.ram().bytes();
    List<String> out = new ArrayList<>();
    out.add(s.binary().path().toString());
    out.addAll(List.of("-display", "none", "-nodefaults", "-no-user-config"));
    out.addAll(List.of("-accel", s.accelerator(), "-S"));
    out.addAll(List.of("-qtest", "unix:" + place.folder().resolve("qtest"), "-qtest-log", "none"));
    out.addAll(List.of("-chardev", "socket,id=qmp,path=" + place.folder().resolve("qmp")));
    out.addAll(List.of("-mon", "chardev=qmp,mode=control"));
    out.addAll(
        List.of(
            "-object",
            "memory-backend-file,id=ram,mem-path=%s,share=on,size=%d"
                .formatted(place.ramFile(), bytes)));
    out.addAll(List.of("-machine", s.machine() + ",memory-backend=ram"));
    out.addAll(List.of("-m", "%dM".formatted(bytes / Sizes.MIB)));
    if (s.halted()) {
      out.addAll(List.of("-bios", place.folder().resolve(Workplace.FIRMWARE).toString()));
    }
    out.addAll(s.arguments());
    return out;
  }

  private Link accept(ServerSocketChannel server, int longestLine) {
    try {
      Link link = new Link(this, server.accept(), longestLine);
      links.add(link);
      return link;
    } catch (IOException e) {
      throw startTicks.get() < 0 ? timedOut(START, "", e) : died(START, e);
    }
  }

  /// Gives every exchange its deadline, and wakes whoever waits for a QEMU that has ended before it connected. Not by the process's own
  /// future: that one is completed in the common pool, whose threads may all be waiting here.
  private void watch() {
    while (!closed.get()) {
      try {
        Thread.sleep(TICK_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
      links.forEach(Link::tick);
      if (startTicks.get() > 0 && startTicks.decrementAndGet() == 0) {
        startTicks.set(-1);
        place.close();
      } else if (startTicks.get() > 0 && !wrapper.shell().isAlive()) {
        place.close();
      }
    }
  }

  int patienceTicks() {
    return (int) Math.max(1, patience.toMillis() / TICK_MILLIS);
  }

  /// {@return a private folder that is removed when QEMU ends, however that comes}
  Path folder() {
    return place.folder();
  }

  /// {@return the program's name, for messages}
  String name() {
    return binary.toString();
  }

  public QemuBinary binary() {
    return binary;
  }

  public QemuVersion version() {
    return qmp.version();
  }

  public Qmp qmp() {
    return qmp;
  }

  public Qtest qtest() {
    return qtest;
  }

  /// {@return the machine's RAM}
  public PhysicalMemory ram() {
    return ram;
  }

  public AddressRange ramRange() {
    return ram.range();
  }

  /// {@return the process that holds QEMU; its descendants are QEMU and what ends it}
  public ProcessHandle handle() {
    return wrapper.shell().toHandle();
  }

  /// Puts the machine back to the state after power-on; RAM keeps its content, but for the device tree that QEMU puts there again.
  public void reset() {
    qmp.execute("system_reset", java.util.Map.of());
  }

  /// @param begun what came of an answer that did not end
  QemuException timedOut(String sent, String begun, @Nullable Throwable cause) {
    String said = wrapper.said();
    String more =
        (begun.isEmpty() ? "" : "; of the answer came only: " + begun)
            + (said.isEmpty() ? "" : "; it printed: " + said);
    ended("has been ended, as it did not answer within %d s".formatted(patience.toSeconds()), sent);
    kill();
    return new QemuTimedOut(name(), sent, patience, more, cause);
  }

  QemuException died(String sent, @Nullable Throwable cause) {
    boolean wasClosed = closed.get();
    boolean itself = !wasClosed && wrapper.ended(DEATH_SECONDS);
    kill();
    String how =
        cause instanceof ClosedByInterruptException
            ? "has been ended, as the thread that waited for it was interrupted"
            : wasClosed
                ? "has been ended"
                : itself
                    ? "ended with status %d".formatted(wrapper.shell().exitValue())
                    : "closed the connection";
    Ending first = ended(how, sent);
    return new QemuDied(binary, first.how(), first.sent(), wrapper.said(), cause);
  }

  /// Ends QEMU, whose answer was none.
  void garbled(String sent) {
    ended("has been ended, as its answer was none", sent);
    kill();
  }

  /// {@return how it ended first}
  private Ending ended(String how, String sent) {
    Ending now = new Ending(how, sent);
    Ending before = ending.compareAndExchange(null, now);
    return before == null ? now : before;
  }

  /// {@return what to throw when something beside QEMU could not be made: when QEMU ends, its folder goes}
  QemuException unmade(String what, IOException cause) {
    return wrapper.ended(DEATH_SECONDS)
        ? died("(nothing)", cause)
        : new QemuUnstartable(what, cause);
  }

  /// Ends QEMU, and waits until it has ended. Its RAM stays readable until {@link #close}.
  void kill() {
    closed.set(true);
    links.forEach(Link::close);
    wrapper.kill();
    place.close();
  }

  /// Ends QEMU, and waits until it has ended.
  @Override
  public void close() {
    kill();
    watch.interrupt();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // This process is ending, and the hook is what calls.
      return;
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
