import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A function is gone in the middle, as one that is pulled out: nobody is asked before, its slot has no power from one moment to the next, and then
/// the host sees it. Its user hears of it, may close everything, and nothing is left; once there is one again it works.
final class Gone {
  private static final Kind KIND = Kind.IGB;
  private static final int CAPABILITIES = 0x34;
  private static final int EXPRESS = 0x10;
  private static final int SLOT_CONTROL = 0x18;

  private static final int STATUS = 6;

  /// Power Controller Control and Power Indicator Control, both off: QEMU drops what is in the slot.
  private static final int POWER_OFF = 0x700;

  /// Presence Detect Changed Enable. The kernel leaves it off where a button asks first.
  private static final int TELL_PRESENCE = 8;

  /// Hot-Plug Interrupt Enable.
  private static final int TELL = 0x20;

  private Gone() {}

  static void all(Access access) throws Exception {
    Lab.check(!Lab.find(KIND).isEmpty(), access + ": there is a function to be pulled out");
    for (Sbdf f : Lab.find(KIND)) {
      String what = "%s, %s is pulled out".formatted(access, f);
      Lab.guarded(what, () -> one(what, access, f));
    }
  }

  private static void one(String what, Access access, Sbdf f) throws Exception {
    Assigned a = Assigned.of(access, f);
    if (a.group().functions().size() > 1 && !Lab.MACHINE.startsWith("x86")) {
      // See Unplug.
      Lab.say("%s: left out, group %s holds the port, whose own interrupts are lost while it is assigned".formatted(what, a.group().functions()));
      a.close();
      return;
    }
    EventCounter asked = new EventCounter();
    try (DriverBinding binding = a.binding()) {
      try (Raiser raiser = Raiser.of(KIND, a.container(), a.device())) {
        Signals signals = new Signals(what, raiser, KIND.vectors());
        var unused = a.device().enable(KIND.irqs(), KIND.vectors(), signals.counters());
        unused = a.device().enable(IrqType.REQ, 1, List.of(asked));
        raiser.arm();
        signals.rounds("before");
        pullOut(f);
        Lab.check(read(a.device()) == 0xffff, what + ": what the kernel has no copy of reads as ones");
        Lab.check(Unplug.comes(() -> asked.count() > 0), what + ": its user hears of it");
        used(what, a.device(), raiser, signals);
      } finally {
        a.letGo();
      }
      Lab.check(true, what + ": everything can be closed");
      Lab.check(Unplug.comes(() -> !Files.exists(Lab.folder(f))), what + ": the host forgets it then");
    }
    Unplug.plugIn();
    Lab.check(Unplug.comes(() -> Files.exists(Lab.folder(f).resolve("driver"))), what + ": there is one again");
    Unplug.works(what, access, f);
  }

  /// What its user still tries.
  private static void used(String what, LinuxDevice d, Raiser raiser, Signals signals) throws Exception {
    Lab.say("%s: a register reads 0x%x".formatted(what, d.region(RegionType.BAR0).read32(8)));
    raiser.raise(1);
    Lab.check(signals.isQuiet(1), what + ": no vector comes any more");
    Lab.refused(what + ": a reset", ErrnoException.class, d::reset);
    d.mask(1, true);
    d.mask(1, false);
    d.disable();
    Lab.check(true, what + ": its vectors can be taken back");
  }

  private static long read(LinuxDevice d) {
    return d.config().read16(STATUS);
  }

  /// By the registers of its port, behind the back of the kernel's own driver.
  private static void pullOut(Sbdf f) throws Exception {
    Path port = Lab.folder(f).toRealPath().getParent().resolve("config");
    try (RandomAccessFile config = new RandomAccessFile(port.toFile(), "rw")) {
      int at = byteAt(config, CAPABILITIES);
      while (byteAt(config, at) != EXPRESS) {
        at = byteAt(config, at + 1);
      }
      int control = byteAt(config, at + SLOT_CONTROL) | byteAt(config, at + SLOT_CONTROL + 1) << 8;
      write(config, at + SLOT_CONTROL, control & ~TELL | POWER_OFF);
      // The power that the kernel believes to be on comes back to an empty slot, and only then the kernel hears of it.
      write(config, at + SLOT_CONTROL, control | TELL_PRESENCE);
    }
  }

  private static void write(RandomAccessFile file, int at, int value) throws Exception {
    file.seek(at);
    file.write(new byte[] {(byte) value, (byte) (value >> 8)});
  }

  private static int byteAt(RandomAccessFile file, int at) throws Exception {
    file.seek(at);
    return file.read();
  }
}
