package dev.doorbell.qemu;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.PaprFunctions;
import dev.doorbell.hw.papr.PaprModel;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The same guest twice: of QEMU's hypervisor, and of our model of one. What differs and is known is put right again, so that the next step compares
/// equals.
final class PaprPair {
  private static final int QUOTA = 1024;
  private static final int[] RIDS = {Pseries.RID, Pseries.EDU, Pseries.NVME};
  private static final long MARK = 0x5a5a_a5a5_1234_8765L;
  private static final long PAGES = 0x40_0000L;
  private static final int PAGE_COUNT = 64;
  private static final long PAGE = 0x1000;
  private static final int PAGE_OFFSET = 0xfff;
  private static final int MOST = 520;
  private static final List<String> XIVE_CALLS =
      List.of(Calls.SET_XIVE, Calls.GET_XIVE, Calls.INT_OFF, Calls.INT_ON);

  /// @param difference empty where both answered alike
  /// @param known the name of the difference; empty where it is none of those
  /// @param more what else was met
  record Answer(String name, long status, String difference, String known, List<String> more) {}

  private final Pseries qemu;
  private final Hypervisor model;
  private final Translator window;
  private final Map<Integer, KeptFunction> functions = new HashMap<>();
  private int secondShift = 12;
  private long taken = 0xff00_0000L;

  PaprPair(Pseries qemu, Set<String> leftOut) {
    this.qemu = qemu;
    for (int rid : RIDS) {
      functions.put(rid, new KeptFunction(qemu.config(rid).orElseThrow(), rid));
    }
    PaprModel whole = PaprModel.presenting(qemu.memory(), PaprPair::holdsPage, List.of(0L));
    model = new Faulty(whole, leftOut);
    PaprModel.Bridge bridge =
        new PaprModel.Bridge(
            Pseries.BUID, QUOTA, true, _ -> Optional.of(Pseries.LIOBN), new Kept());
    whole.add(bridge);
    window = whole.addWindow(bridge, Pseries.LIOBN, Pseries.WINDOW_32);
  }

  PhysicalMemory memory() {
    return qemu.memory();
  }

  /// {@return what H_XIRR told last}
  long toEnd() {
    return taken;
  }

  private static boolean holdsPage(long pa) {
    return pa >= 0 && (pa & PAGE_OFFSET) == 0 && pa < Pseries.RAM.bytes();
  }

  Answer hcall(long... registers) {
    long[] ours = Arrays.copyOf(registers, 8);
    long[] theirs = Arrays.copyOf(registers, 8);
    model.hcall(0, ours);
    qemu.hcall(0, theirs);
    String name = Calls.name(registers[0]);
    List<String> more = new ArrayList<>();
    int told = told(registers[0]);
    boolean alike = ours[0] == theirs[0];
    for (int i = 1; alike && ours[0] == 0 && i <= told; i++) {
      alike = ours[i] == theirs[i];
    }
    if (registers[0] == Calls.H_XIRR && theirs[0] == 0) {
      taken = theirs[1];
      boolean presented = (theirs[1] & 0xff_ffff) != 0;
      if (presented) {
        more.add("H_XIRR presented");
      } else if (theirs[1] >>> 24 != 0xff) {
        more.add("papr-accept-nothing");
        qemu.hcall(0, new long[] {Calls.H_CPPR, theirs[1] >>> 24});
      }
    }
    String known =
        registers[0] == Calls.H_XIRR
            ? presented(ours[1], theirs[1])
            : known(registers, ours, theirs);
    if (known.isEmpty() && alike) {
      known = again(registers) ? "papr-partial" : "";
      alike = known.isEmpty();
    } else if (!known.isEmpty()) {
      var unused = again(registers);
    }
    return new Answer(
        name,
        theirs[0],
        alike ? "" : "%s: ours %s, QEMU's %s".formatted(name, print(ours), print(theirs)),
        known,
        more);
  }

  /// What QEMU's processor is presented with and ours is not, or the other way round, is ended there.
  private String presented(long ours, long theirs) {
    int number = (int) theirs & 0xff_ffff;
    if (ours == theirs) {
      return "";
    }
    if (number != 0 && isFree(number)) {
      qemu.hcall(0, new long[] {Calls.H_EOI, ours});
      return "papr-freed-presented";
    }
    if (number == 0 && (ours & 0xff_ffff) != 0 && ours >>> 24 == theirs >>> 24) {
      model.hcall(0, new long[] {Calls.H_EOI, ours, 0, 0});
      return "papr-rejected-masked";
    }
    return "";
  }

  private static String print(long[] registers) {
    return Arrays.stream(registers).mapToObj(Long::toHexString).toList().toString();
  }

  /// {@return registers behind the status that a call tells}
  private static int told(long call) {
    if (call == Calls.H_GET_TCE || call == Calls.H_XIRR) {
      return 1;
    }
    return call == Calls.H_IPOLL ? 2 : 0;
  }

  private String known(long[] asked, long[] ours, long[] theirs) {
    long call = asked[0];
    boolean many = call == Calls.H_STUFF_TCE || call == Calls.H_PUT_TCE_INDIRECT;
    if (many && asked[4] == 0 && ours[0] == Calls.H_SUCCESS && theirs[0] == Calls.H_PARAMETER) {
      return "papr-no-pages";
    }
    if (ours[0] != Calls.H_PARAMETER || theirs[0] != Calls.H_SUCCESS) {
      return "";
    }
    if (call == Calls.H_STUFF_TCE && asked[4] > 512) {
      return "papr-stuff-length";
    }
    boolean beyond =
        switch ((int) call) {
          case (int) Calls.H_PUT_TCE, (int) Calls.H_STUFF_TCE -> isBeyond(asked[3]);
          case (int) Calls.H_PUT_TCE_INDIRECT -> listHasBeyond(asked[3], asked[4]);
          default -> false;
        };
    return beyond ? "papr-page-beyond-ram" : "";
  }

  private boolean listHasBeyond(long list, long count) {
    for (int i = 0; i < count; i++) {
      if (isBeyond(Long.reverseBytes(memory().read64(list + 8L * i)))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isBeyond(long tce) {
    return (tce & 3) != 0 && !holdsPage(tce & ~PAGE_OFFSET);
  }

  /// Gives QEMU what the model has of the entries that a call was about.
  ///
  /// {@return whether that was something else}
  private boolean again(long[] asked) {
    boolean many = asked[0] == Calls.H_STUFF_TCE || asked[0] == Calls.H_PUT_TCE_INDIRECT;
    if (!many && asked[0] != Calls.H_PUT_TCE) {
      return false;
    }
    long count = many ? Math.min(MOST, Math.max(0, asked[4])) : 1;
    long step = asked[1] == Pseries.LIOBN ? PAGE : 1L << secondShift;
    List<long[]> theirs = new ArrayList<>();
    List<Long> ours = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      long[] get = {Calls.H_GET_TCE, asked[1], asked[2] + i * step, 0};
      theirs.add(get.clone());
      model.hcall(0, get);
      if (get[0] != Calls.H_SUCCESS) {
        theirs.removeLast();
        break;
      }
      ours.add(get[1]);
    }
    qemu.hcalls(theirs);
    List<long[]> puts = new ArrayList<>();
    for (int i = 0; i < theirs.size(); i++) {
      if (theirs.get(i)[0] == Calls.H_SUCCESS && theirs.get(i)[1] != ours.get(i)) {
        puts.add(new long[] {Calls.H_PUT_TCE, asked[1], asked[2] + i * step, ours.get(i)});
      }
    }
    qemu.hcalls(puts);
    return !puts.isEmpty();
  }

  Answer rtas(String call, int results, int... arguments) {
    int[] ours = new int[results];
    int[] theirs = new int[results];
    model.rtas(call, arguments, ours);
    qemu.rtas(call, arguments, theirs);
    List<String> more = new ArrayList<>();
    boolean alike = ours[0] == theirs[0];
    for (int i = 1; alike && ours[0] == 0 && i < results; i++) {
      alike = ours[i] == theirs[i];
    }
    if (call.equals(Calls.CREATE_WINDOW) && theirs[0] == 0) {
      secondShift = arguments[3];
    }
    if (call.equals(Calls.CHANGE_MSI) && theirs[0] == 0 && theirs[1] < arguments[4]) {
      more.add("ibm,change-msi fewer");
    }
    if (call.equals(Calls.CHANGE_MSI) && alike && theirs[0] == 0 && unmasked(arguments)) {
      more.add("papr-given-unmasked");
    }
    return new Answer(
        call,
        theirs[0],
        alike
            ? ""
            : "%s: ours %s, QEMU's %s"
                .formatted(call, Arrays.toString(ours), Arrays.toString(theirs)),
        alike ? "" : known(call, arguments, ours, theirs),
        more);
  }

  private String known(String call, int[] asked, int[] ours, int[] theirs) {
    if (call.equals(Calls.QUERY_WINDOW) && ours[0] == theirs[0] && ours[1] == theirs[1]) {
      return "papr-window-limits";
    }
    boolean low =
        call.equals(Calls.CHANGE_MSI)
            && asked[3] >= Calls.CHANGE_MSI32
            && asked[3] <= Calls.CHANGE_MSIX32;
    if (low && theirs[0] == Calls.RTAS_PARAMETER) {
      model.rtas(
          call, new int[] {asked[0], asked[1], asked[2], Calls.CHANGE_MSI_FN, 0, 1}, new int[4]);
      return "papr-msi32";
    }
    boolean source = XIVE_CALLS.contains(call);
    if (source && theirs[0] == Calls.RTAS_OK && isFree(asked[0])) {
      qemu.rtas(Calls.SET_XIVE, new int[] {asked[0], 0, 0xff}, new int[1]);
      return "papr-free-source";
    }
    return "";
  }

  /// Masks a function's sources in QEMU's hypervisor, too.
  ///
  /// {@return whether one was not: it had been another's}
  private boolean unmasked(int[] asked) {
    boolean out = false;
    for (int i = 0; i < asked[4]; i++) {
      int[] number = new int[3];
      qemu.rtas(Calls.SOURCE_NUMBER, new int[] {asked[0], asked[1], asked[2], i}, number);
      int[] route = new int[3];
      if (number[0] == 0
          && qemu.rtas(Calls.GET_XIVE, new int[] {number[1]}, route)
          && route[2] == 0) {
        int[] ours = new int[3];
        model.rtas(Calls.GET_XIVE, new int[] {number[1]}, ours);
        if (ours[2] != 0) {
          out = true;
          qemu.rtas(Calls.SET_XIVE, new int[] {number[1], ours[1], ours[2]}, new int[1]);
        }
      }
    }
    return out;
  }

  /// {@return whether the model gave a source to none of the functions}
  private boolean isFree(int number) {
    int[] told = new int[1];
    return model.rtas(Calls.GET_XIVE, new int[] {number}, told) && told[0] != Calls.RTAS_OK;
  }

  /// The teaching device sends its message, where it has been given one.
  Answer message() {
    int[] told = new int[3];
    int[] asked = {Pseries.EDU << 8, (int) (Pseries.BUID >>> 32), (int) Pseries.BUID, 0};
    boolean given = qemu.rtas(Calls.SOURCE_NUMBER, asked, told) && told[0] == 0;
    if (!given) {
      return new Answer("message", -1, "", "", List.of());
    }
    MessageTable theirs = qemu.table(Pseries.EDU, MessageTable.Kind.MSI).orElseThrow();
    MessageTable ours = new Kept().table(Pseries.EDU, MessageTable.Kind.MSI).orElseThrow();
    theirs.enable(1);
    var unused = new EduStimulus("edu", qemu.register(Pseries.EDU, 0)).raise(0);
    var unusedToo = window.message(0, ours.address(0), ours.data(0), 4);
    return new Answer("message", 0, "", "", List.of("message sent"));
  }

  /// The teaching device writes zeroes. What it may not write stops the PE in the model alone, which is let go on.
  Answer dma(long at) {
    for (int i = 0; i < PAGE_COUNT; i++) {
      memory().write64(PAGES + i * PAGE + (at & PAGE_OFFSET), MARK);
    }
    long pa = window.translate((int) Pseries.LIOBN, -1, at, Translator.WRITE);
    new EduStimulus("edu", qemu.register(Pseries.EDU, 0)).store(0, new Iova(at), 8);
    long landed = Translator.FAULT;
    for (int i = 0; i < PAGE_COUNT; i++) {
      long candidate = PAGES + i * PAGE + (at & PAGE_OFFSET);
      landed = memory().read64(candidate) == 0 ? candidate : landed;
    }
    String known = "";
    if (pa == Translator.FAULT) {
      model.rtas(
          Calls.SLOT_RESET,
          new int[] {0, (int) (Pseries.BUID >>> 32), (int) Pseries.BUID, 0},
          new int[1]);
    } else if (pa < PAGES || pa >= PAGES + PAGE_COUNT * PAGE) {
      landed = pa;
    }
    return new Answer(
        "DMA",
        0,
        landed == pa ? "" : "DMA to 0x%x: ours 0x%x, QEMU's 0x%x".formatted(at, pa, landed),
        known,
        List.of(pa == Translator.FAULT ? "DMA lands nowhere" : "DMA lands"));
  }

  /// {@return the first message of a function that is programmed otherwise; empty when there is none}
  String compareMessages() {
    for (int rid : RIDS) {
      for (MessageTable.Kind kind : MessageTable.Kind.values()) {
        Optional<MessageTable> ours = new Kept().table(rid, kind);
        Optional<MessageTable> theirs = qemu.table(rid, kind);
        if (ours.isEmpty() || theirs.isEmpty()) {
          continue;
        }
        for (int i = 0; i < ours.get().size(); i++) {
          boolean alike =
              ours.get().address(i) == theirs.get().address(i)
                  && ours.get().data(i) == theirs.get().data(i);
          if (!alike) {
            return "%s %d of 0x%x: ours 0x%x at 0x%x, QEMU's 0x%x at 0x%x"
                .formatted(
                    kind,
                    i,
                    rid,
                    ours.get().data(i),
                    ours.get().address(i),
                    theirs.get().data(i),
                    theirs.get().address(i));
          }
        }
      }
    }
    return "";
  }

  /// Answers some calls with success and does nothing.
  private record Faulty(PaprModel whole, Set<String> leftOut) implements Hypervisor {
    @Override
    public void hcall(int cpu, long[] registers) {
      if (leftOut.contains(Calls.name(registers[0]))) {
        registers[0] = Calls.H_SUCCESS;
      } else {
        whole.hcall(cpu, registers);
      }
    }

    @Override
    public boolean rtas(String call, int[] arguments, int[] results) {
      return leftOut.contains(call) || whole.rtas(call, arguments, results);
    }
  }

  private final class Kept implements PaprFunctions {
    @Override
    public Optional<ConfigSpace> config(int rid) {
      return Optional.ofNullable(functions.get(rid)).map(f -> f);
    }

    @Override
    public Optional<MessageTable> table(int rid, MessageTable.Kind kind) {
      return Optional.ofNullable(functions.get(rid)).flatMap(f -> f.table(kind));
    }
  }
}
