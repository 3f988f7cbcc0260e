import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchFunction;
import java.nio.file.Files;
import java.util.List;
import java.util.function.BooleanSupplier;

/// A function is unplugged while it interrupts: its user is asked for it, gives it back, and it goes. Plugged in again, it works again.
final class Unplug {
  private static final Kind KIND = Kind.IGB;
  private static final int WAIT_SECONDS = 60;

  private Unplug() {}

  static void all(Access access) throws Exception {
    Lab.check(!Lab.find(KIND).isEmpty(), access + ": there is a function to be unplugged");
    for (Sbdf f : Lab.find(KIND)) {
      String what = "%s unplug of %s".formatted(access, f);
      Lab.guarded(what, () -> one(what, access, f));
    }
  }

  private static void one(String what, Access access, Sbdf f) throws Exception {
    Assigned a = Assigned.of(access, f);
    if (a.group().functions().size() > 1 && !Lab.MACHINE.startsWith("x86")) {
      // Plugged in again, it joins its port's group, and VFIO takes the port's domain: the port's own message, programmed before, meets no
      // mapping there, and the kernel does not learn of the next unplugging. Where messages do not pass the tables that does no harm.
      Lab.say("%s: left out, group %s holds the port, whose own interrupts are lost while it is assigned".formatted(what, a.group().functions()));
      a.close();
      return;
    }
    EventCounter asked = new EventCounter();
    try (DriverBinding binding = a.binding()) {
      try (Raiser raiser = Raiser.of(KIND, a.container(), a.device())) {
        Signals signals = new Signals(what, raiser, KIND.vectors());
        var unused = a.device().enable(KIND.irqs(), KIND.vectors(), signals.counters());
        Lab.check(a.device().enable(IrqType.REQ, 1, List.of(asked)) == 1, what + ": the request is enabled beside the vectors");
        raiser.arm();
        signals.rounds("before");
        Lab.say("%s: QEMU answers %s".formatted(what, Hypervisor.ask("{\"execute\":\"device_del\",\"arguments\":{\"id\":\"igb0\"}}")));
        long fired = load(raiser, signals, asked);
        Lab.check(asked.count() > 0, "%s: its user is asked for it, after %d more messages".formatted(what, fired));
        signals.rounds("while the host waits for it");
      } finally {
        a.letGo();
      }
      Lab.check(comes(() -> !Files.exists(Lab.folder(f))), what + ": it goes once it is let go");
      Lab.refused(what + ": opening it then", NoSuchFunction.class, () -> {
        try (LinuxVfio vfio = LinuxVfio.open(LinuxOptions.USUAL.with(access))) {
          var none = vfio.group(f);
        }
      });
    }
    plugIn();
    Lab.check(comes(() -> Files.exists(Lab.folder(f).resolve("driver"))), what + ": plugged in again");
    works(what, access, f);
  }

  static void works(String what, Access access, Sbdf f) throws Exception {
    try (Assigned again = Assigned.of(access, f);
        Raiser raiser = Raiser.of(KIND, again.container(), again.device())) {
      Signals signals = new Signals(what, raiser, KIND.vectors());
      var unused = again.device().enable(KIND.irqs(), KIND.vectors(), signals.counters());
      raiser.arm();
      signals.rounds("once it is back");
    }
  }

  /// The kernel forgets a function before it switches its slot off, which is when QEMU lets the device go.
  static void plugIn() throws Exception {
    String command = "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"igb\",\"id\":\"igb0\",\"bus\":\"rp1\",\"romfile\":\"\"}}";
    String answer = "";
    for (int i = 0; i < WAIT_SECONDS && !answer.contains("return"); i++) {
      Thread.sleep(1000);
      answer = Hypervisor.ask(command);
    }
    Lab.say("QEMU answers " + answer);
  }

  /// Raises vectors until the host asks.
  private static long load(Raiser raiser, Signals signals, EventCounter asked) throws InterruptedException {
    long until = System.nanoTime() + WAIT_SECONDS * 1_000_000_000L;
    long fired = 0;
    while (asked.count() == 0 && System.nanoTime() < until) {
      fired += signals.fires((int) (fired % KIND.vectors())) ? 1 : 0;
      raiser.clear();
    }
    return fired;
  }

  static boolean comes(BooleanSupplier state) throws InterruptedException {
    for (int i = 0; i < WAIT_SECONDS * 10 && !state.getAsBoolean(); i++) {
      Thread.sleep(100);
    }
    return state.getAsBoolean();
  }
}
