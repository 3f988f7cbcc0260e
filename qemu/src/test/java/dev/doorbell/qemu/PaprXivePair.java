package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.ContextRegisters;
import dev.doorbell.hw.papr.PaprFunctions;
import dev.doorbell.hw.papr.PaprModel;
import dev.doorbell.hw.papr.XiveCalls;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Random calls about interrupts that a guest manages itself, made to our model and to QEMU's hypervisor, step by step. The queues of the model lie beside
/// those of QEMU.
final class PaprXivePair {
  /// What so many scenarios must have met.
  static final List<String> OUTCOMES =
      List.of(
          "H_INT_GET_SOURCE_INFO 0",
          "H_INT_GET_SOURCE_INFO -55",
          "H_INT_SET_SOURCE_CONFIG 0",
          "H_INT_SET_SOURCE_CONFIG -4",
          "H_INT_SET_SOURCE_CONFIG -55",
          "H_INT_SET_SOURCE_CONFIG -56",
          "H_INT_SET_SOURCE_CONFIG -57",
          "H_INT_GET_SOURCE_CONFIG 0",
          "H_INT_GET_QUEUE_INFO 0",
          "H_INT_SET_QUEUE_CONFIG 0",
          "H_INT_SET_QUEUE_CONFIG -55",
          "H_INT_SET_QUEUE_CONFIG -56",
          "H_INT_SET_QUEUE_CONFIG -57",
          "H_INT_SET_QUEUE_CONFIG -58",
          "H_INT_GET_QUEUE_CONFIG 0",
          "H_INT_ESB 0",
          "H_INT_SYNC 0",
          "papr-xive-loaded-order",
          "papr-xive-notification-page",
          "processor told",
          "event queued");

  private static final int FIRST = 0x1300;
  private static final int SOURCES = 6;
  private static final long QUEUES = 0x2000_0000L;
  private static final long QUEUE_BYTES = 0x1_0000;
  private static final int QUEUE_COUNT = 4;
  private static final long BESIDE = 0x100_0000L;
  private static final long PAGES = 0x6_0100_0000_0000L + FIRST * 0x2_0000L;

  /// Registers behind the status that a call tells.
  private static final Map<Long, Integer> TOLD =
      Map.of(
          XiveCalls.H_INT_GET_SOURCE_INFO, 4,
          XiveCalls.H_INT_GET_SOURCE_CONFIG, 3,
          XiveCalls.H_INT_GET_QUEUE_INFO, 2,
          XiveCalls.H_INT_GET_QUEUE_CONFIG, 4,
          XiveCalls.H_INT_ESB, 1);

  private final Pseries qemu;
  private final PaprModel model;
  private final Translator window;
  private final String leftOut;
  private final SeededRandom dice;
  private final Map<String, Integer> seen;
  private final KeptFunction edu;
  private final List<String> log = new ArrayList<>();

  /// @param leftOut a call that our model is to answer without doing anything
  PaprXivePair(Pseries qemu, String leftOut, SeededRandom dice, Map<String, Integer> seen) {
    this.qemu = qemu;
    this.leftOut = leftOut;
    this.dice = dice;
    this.seen = seen;
    edu = new KeptFunction(qemu.config(Pseries.EDU).orElseThrow(), Pseries.EDU);
    model =
        PaprModel.exploited(
            new Beside(qemu.memory()),
            pa -> pa >= 0 && pa % 0x1000 == 0 && pa < Pseries.RAM.bytes(),
            List.of(0L),
            new Pa(PAGES));
    PaprModel.Bridge bridge =
        new PaprModel.Bridge(Pseries.BUID, 1024, true, _ -> Optional.of(Pseries.LIOBN), new Kept());
    model.add(bridge);
    window = model.addWindow(bridge, Pseries.LIOBN, Pseries.WINDOW_32);
  }

  List<String> log() {
    return log;
  }

  /// {@return the first difference that is not a known one; empty when there is none}
  String run(int steps) {
    for (long at = 0; at < QUEUE_COUNT * QUEUE_BYTES; at += Long.BYTES) {
      qemu.memory().write64(QUEUES + at, 0);
      qemu.memory().write64(QUEUES + BESIDE + at, 0);
    }
    String found = give() + begin();
    for (int i = 0; found.isEmpty() && i < steps; i++) {
      found = step() + compareQueues();
    }
    return found;
  }

  private String begin() {
    return call(XiveCalls.H_INT_SET_QUEUE_CONFIG, 1, 0, 6, QUEUES, 16)
        + call(XiveCalls.H_INT_SET_SOURCE_CONFIG, 2, FIRST, 0, 6, FIRST)
        + call(XiveCalls.H_INT_ESB, 0, FIRST, EsbRegisters.SET_PQ_00.offset(), 0)
        + message()
        + take();
  }

  /// The teaching device gets its message, and the card some.
  private String give() {
    String out = change(Pseries.EDU, Calls.CHANGE_MSI_FN, 1);
    return out + change(Pseries.NVME, Calls.CHANGE_MSIX, SOURCES - 2);
  }

  private String change(int rid, int function, int count) {
    int[] asked = {rid << 8, (int) (Pseries.BUID >>> 32), (int) Pseries.BUID, function, count, 1};
    int[] ours = new int[4];
    int[] theirs = new int[4];
    model.rtas(Calls.CHANGE_MSI, asked, ours);
    qemu.rtas(Calls.CHANGE_MSI, asked, theirs);
    return Arrays.equals(ours, theirs)
        ? ""
        : "ibm,change-msi: ours %s, QEMU's %s"
            .formatted(Arrays.toString(ours), Arrays.toString(theirs));
  }

  private String step() {
    return switch (dice.below(14)) {
      case 0 -> call(XiveCalls.H_INT_GET_SOURCE_INFO, flags(0), source());
      case 1, 2 ->
          call(
              XiveCalls.H_INT_SET_SOURCE_CONFIG,
              flags(2 + (dice.below(4) == 0 ? 1 : 0)),
              source(),
              target(),
              dice.below(5) == 0 ? 0xff : priority(),
              dice.nextLong() & 0x7fff_ffff);
      case 3 -> call(XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, source());
      case 4 -> call(XiveCalls.H_INT_GET_QUEUE_INFO, 0, target(), priority());
      case 5, 6 -> queue();
      case 7 -> call(XiveCalls.H_INT_GET_QUEUE_CONFIG, dice.below(2), target(), priority());
      case 8, 9, 10 -> page();
      case 11 -> call(XiveCalls.H_INT_SYNC, flags(0), source());
      case 12 -> message();
      default -> take();
    };
  }

  private long flags(int usual) {
    return dice.below(10) == 0 ? 1L << dice.below(8) : usual;
  }

  private long source() {
    return dice.below(10) == 0 ? FIRST + SOURCES + dice.below(400) : FIRST + dice.below(SOURCES);
  }

  private long target() {
    return dice.below(8) == 0 ? 1 + dice.below(9) : 0;
  }

  private long priority() {
    return dice.below(10) == 0 ? 7 + dice.below(3) : 4 + dice.below(3);
  }

  private String queue() {
    int which = dice.below(QUEUE_COUNT);
    boolean bad = dice.below(8) == 0;
    long size = List.of(16L, 16L, 12L, 0L, bad ? 13L : 16L).get(dice.below(5));
    return call(
        XiveCalls.H_INT_SET_QUEUE_CONFIG,
        dice.below(4) == 0 ? 0 : 1,
        target(),
        priority(),
        QUEUES + which * QUEUE_BYTES + (dice.below(12) == 0 ? 0x800 : 0),
        size);
  }

  private String page() {
    boolean store = dice.below(4) == 0;
    long offset =
        store
            ? 0
            : List.of(
                    EsbRegisters.EOI.offset(),
                    EsbRegisters.GET.offset(),
                    EsbRegisters.setting(dice.below(4)).offset(),
                    EsbRegisters.SET_PQ_00.offset())
                .get(dice.below(4));
    return call(XiveCalls.H_INT_ESB, store ? 1 : 0, source(), offset, 0);
  }

  private String call(long... asked) {
    long[] ours = Arrays.copyOf(asked, 8);
    long[] theirs = Arrays.copyOf(asked, 8);
    String name = Calls.name(asked[0]);
    log.add(name + " " + print(asked));
    if (name.equals(leftOut)) {
      ours[0] = Calls.H_SUCCESS;
    } else {
      model.hcall(0, ours);
    }
    qemu.hcall(0, theirs);
    count(name + " " + theirs[0]);
    boolean loaded = asked[0] == XiveCalls.H_INT_ESB && asked[1] == 0;
    if (loaded && theirs[0] == Calls.H_SUCCESS && theirs[1] != 0) {
      theirs[1] = Long.reverseBytes(theirs[1]);
      count("papr-xive-loaded-order");
    }
    boolean alike = ours[0] == theirs[0];
    for (int i = 1; alike && ours[0] == 0 && i <= TOLD.getOrDefault(asked[0], 0); i++) {
      alike = ours[i] == theirs[i] || isKnown(asked, i, ours[i], theirs[i]);
    }
    return alike ? "" : "%s: ours %s, QEMU's %s".formatted(name, print(ours), print(theirs));
  }

  /// What `docs/qemu-differences.md` names.
  private boolean isKnown(long[] asked, int register, long ours, long theirs) {
    String name = "";
    if (asked[0] == XiveCalls.H_INT_GET_QUEUE_INFO && register == 1 && ours == -1) {
      name = "papr-xive-notification-page";
    } else if (asked[0] == XiveCalls.H_INT_GET_SOURCE_CONFIG && register == 1 && ours == 0) {
      name = (int) theirs == -0x400 ? "papr-xive-target" : "";
    } else if (asked[0] == XiveCalls.H_INT_GET_SOURCE_CONFIG && register == 2) {
      name = theirs == 0 ? "papr-xive-target" : "";
    } else if (asked[0] == XiveCalls.H_INT_GET_SOURCE_CONFIG && register == 3) {
      name = theirs == 0 && ours == asked[2] ? "papr-xive-number" : "";
    } else if (asked[0] == XiveCalls.H_INT_GET_QUEUE_CONFIG && register == 1) {
      boolean moved = (ours & 1 | (ours & 2) << 61) == theirs;
      name = moved ? "papr-xive-generation" : "";
    }
    if (!name.isEmpty()) {
      log.add("known: " + name);
      count(name);
    }
    return !name.isEmpty();
  }

  private void count(String what) {
    seen.merge(what, 1, Integer::sum);
  }

  private static String print(long[] registers) {
    return Arrays.stream(registers).skip(1).mapToObj(Long::toHexString).toList().toString();
  }

  private String message() {
    log.add("message");
    MessageTable theirs = qemu.table(Pseries.EDU, MessageTable.Kind.MSI).orElseThrow();
    MessageTable ours = edu.table(MessageTable.Kind.MSI).orElseThrow();
    theirs.enable(1);
    var unused = new EduStimulus("edu", qemu.register(Pseries.EDU, 0)).raise(0);
    var unusedToo = window.message(0, ours.address(0), ours.data(0), 4);
    return compareQueues();
  }

  /// The processor is acknowledged, and takes everything again.
  private String take() {
    log.add("take");
    RegisterBus ours = model.context(0).orElseThrow();
    RegisterBus theirs = qemu.context(0).orElseThrow();
    String out = "";
    // QEMU has no reads of less than a word there.
    long first = theirs.read(ContextRegisters.NSR.offset(), 4);
    long second = theirs.read(ContextRegisters.PIPR.offset() - 3, 4);
    out += same("NSR", ours.read(ContextRegisters.NSR.offset(), 1), first >>> 24);
    out += same("CPPR", ours.read(ContextRegisters.CPPR.offset(), 1), first >>> 16 & 0xff);
    out += same("IPB", ours.read(ContextRegisters.IPB.offset(), 1), first >>> 8 & 0xff);
    out += same("PIPR", ours.read(ContextRegisters.PIPR.offset(), 1), second & 0xff);
    long told = theirs.read(ContextRegisters.ACK.offset(), 2);
    out += same("acknowledged", ours.read(ContextRegisters.ACK.offset(), 2), told);
    if (ContextRegisters.ACK_EO.isSet(told)) {
      count("processor told");
    }
    ours.write(ContextRegisters.CPPR.offset(), ContextRegisters.LEAST_FAVORED, 1);
    theirs.write(ContextRegisters.CPPR.offset(), ContextRegisters.LEAST_FAVORED, 1);
    return out;
  }

  private static String same(String what, long ours, long theirs) {
    return ours == theirs ? "" : "%s: ours 0x%x, QEMU's 0x%x; ".formatted(what, ours, theirs);
  }

  private String compareQueues() {
    for (long at = 0; at < QUEUE_COUNT * QUEUE_BYTES; at += Long.BYTES) {
      long theirs = qemu.memory().read64(QUEUES + at);
      long ours = qemu.memory().read64(QUEUES + BESIDE + at);
      if (theirs != ours) {
        return "queue at +0x%x: ours 0x%x, QEMU's 0x%x".formatted(at, ours, theirs);
      }
      if (theirs != 0) {
        count("event queued");
      }
    }
    return "";
  }

  private final class Kept implements PaprFunctions {
    private final KeptFunction nvme =
        new KeptFunction(qemu.config(Pseries.NVME).orElseThrow(), Pseries.NVME);

    private Optional<KeptFunction> function(int rid) {
      return switch (rid) {
        case Pseries.EDU -> Optional.of(edu);
        case Pseries.NVME -> Optional.of(nvme);
        default -> Optional.empty();
      };
    }

    @Override
    public Optional<ConfigSpace> config(int rid) {
      return function(rid).map(f -> f);
    }

    @Override
    public Optional<MessageTable> table(int rid, MessageTable.Kind kind) {
      return function(rid).flatMap(f -> f.table(kind));
    }
  }

  /// The guest's memory, whose queues lie elsewhere.
  private record Beside(PhysicalMemory whole) implements PhysicalMemory {
    private static final AddressRange MOVED =
        AddressRange.ofSize(QUEUES, QUEUE_COUNT * QUEUE_BYTES);

    private static long moved(long pa) {
      return MOVED.contains(pa) ? pa + BESIDE : pa;
    }

    @Override
    public long read(long pa, int bytes) {
      return whole.read(moved(pa), bytes);
    }

    @Override
    public void write(long pa, long value, int bytes) {
      whole.write(moved(pa), value, bytes);
    }

    @Override
    public void read(long pa, byte[] into) {
      whole.read(moved(pa), into);
    }

    @Override
    public void write(long pa, byte[] from) {
      whole.write(moved(pa), from);
    }

    @Override
    public void fill(long pa, long bytes, byte value) {
      whole.fill(moved(pa), bytes, value);
    }

    @Override
    public void publish() {
      whole.publish();
    }
  }
}
