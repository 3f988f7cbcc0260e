package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.CommandLayout.*;

import dev.doorbell.bus.Translator;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.MsiPteLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One access by chance on a {@link RiscvPair}: with tables that let it through, and then with one flaw in them.
final class RiscvScenario {
  private static final List<RiscvFlaw> FLAWS = RiscvFlaw.all();
  private static final long WORD = RiscvPair.RAM + 0x9_2000;

  /// From this cause on QEMU records no address.
  private static final int FIRST_OF_TABLES = 256;

  private final RiscvPair pair;
  private final Dice dice;
  private final RiscvTables tables;
  private final Map<String, Integer> seen;
  private String last = "";

  /// @param seen counts what was met: flaws, known differences, outcomes
  RiscvScenario(RiscvPair pair, long seed, Map<String, Integer> seen) {
    this.pair = pair;
    this.seen = seen;
    dice = new Dice(seed);
    tables = new RiscvTables(pair.memory());
  }

  /// {@return what it was about, for the message}
  String last() {
    return last;
  }

  private void count(String what) {
    if (what.isEmpty()) {
      return;
    }
    seen.merge(what, 1, Integer::sum);
  }

  /// {@return the first difference; empty for none}
  String run(int steps) {
    String found = "";
    for (int i = 0; i < steps && found.isEmpty(); i++) {
      found =
          switch (dice.below(8)) {
            case 0 -> command();
            case 1, 2 -> new RiscvMessages(pair, tables, dice, seen).run();
            default -> access();
          };
    }
    return found;
  }

  private void describe(String what) {
    last = what;
  }

  /// What one of both made of an access.
  ///
  /// @param pa where it leaves; negative for a fault
  private record Outcome(long pa, RiscvPair.@Nullable Fault fault) {
    boolean passes() {
      return pa >= 0;
    }

    int cause() {
      return fault == null ? 0 : fault.cause();
    }
  }

  private String access() {
    RiscvAccess a = new RiscvAccess(tables, dice, false);
    start(pair, a.levels, a.gscid);
    describe(a.toString());
    Outcome clean = model(a);
    String found = compare(a, other(a), clean, true);
    if (!found.isEmpty()) {
      return "without a flaw: " + found;
    }
    count(clean.passes() ? "passes" : "cause " + clean.cause());
    List<RiscvFlaw> possible = FLAWS.stream().filter(f -> f.fits().test(a)).toList();
    RiscvFlaw flaw = dice.of(possible);
    flaw.apply().accept(a);
    describe(a + "; " + flaw.name());
    forget(a.gscid);
    Outcome model = model(a);
    Outcome other = other(a);
    count(flaw.name());
    count(model.passes() ? "passes" : "cause " + model.cause());
    found = compare(a, other, model, true);
    if (found.isEmpty()) {
      return "";
    }
    if (isKnown(a, flaw, other, clean)) {
      count(flaw.known());
      return "";
    }
    String nested = a.second == DirectoryLayout.BARE ? "" : nested(model.cause(), other.cause());
    count(nested);
    return nested.isEmpty() ? found : "";
  }

  /// {@return what is known of faults of the second stage, whatever the flaw is}
  private static String nested(int model, int other) {
    if (model == FaultLayout.READ_GUEST_PAGE_FAULT && other == FaultLayout.WRITE_GUEST_PAGE_FAULT
        || model == FaultLayout.READ_ACCESS_FAULT && other == FaultLayout.WRITE_ACCESS_FAULT) {
      // A leaf of the first stage that may be written turns a read into a write.
      return "riscv-rights-of-leaf";
    }
    boolean access =
        other == FaultLayout.READ_ACCESS_FAULT || other == FaultLayout.WRITE_ACCESS_FAULT;
    return model == FaultLayout.PDT_LOAD_FAULT && access ? "riscv-pdt-gpa" : "";
  }

  private boolean isKnown(RiscvAccess a, RiscvFlaw flaw, Outcome other, Outcome clean) {
    boolean ignored = compare(a, other, clean, false).isEmpty();
    return flaw.others().stream()
        .anyMatch(what ->
            switch (what) {
              case RiscvFlaw.IGNORED -> ignored;
              case RiscvFlaw.ELSEWHERE -> other.passes();
              default -> !other.passes() && (other.cause() == what || other.fault() == null);
            });
  }

  private Outcome model(RiscvAccess a) {
    long pa = pair.modelTranslates(a.ask());
    return new Outcome(pa, pair.modelFault());
  }

  private Outcome other(RiscvAccess a) {
    long response = pair.otherTranslates(a.ask());
    boolean fault = RiscvIommuRegisters.TR_FAULT.isSet(response);
    return new Outcome(fault ? Translator.FAULT : response, pair.otherFault());
  }

  /// @param records whether fault records count, too
  private static String compare(RiscvAccess a, Outcome other, Outcome model, boolean records) {
    if (other.passes() != model.passes()) {
      return "QEMU %s, model %s".formatted(print(other), print(model));
    }
    if (model.passes()) {
      // QEMU has the address's page where bits 53:10 of that number are (`riscv-debug-ppn`), and of
      // a large page its beginning (`riscv-debug-superpage`).
      long page = DirectoryLayout.ppn(model.pa() & -(1L << a.covered));
      long expected = page & RiscvIommuRegisters.TR_PPN.mask();
      return other.pa() == expected
          ? ""
          : "QEMU answers 0x%x, not 0x%x (model 0x%x)".formatted(other.pa(), expected, model.pa());
    }
    return !records || alike(other.fault(), model.fault())
        ? ""
        : "QEMU records %s, model %s".formatted(other.fault(), model.fault());
  }

  private static boolean alike(RiscvPair.@Nullable Fault other, RiscvPair.@Nullable Fault model) {
    if (other == null || model == null) {
      return other == model;
    }
    boolean without = other.iotval() == 0 && model.cause() >= FIRST_OF_TABLES;
    return other.cause() == model.cause()
        && other.device() == model.device()
        && other.process() == model.process()
        && (without || other.iotval() == model.iotval());
  }

  private static String print(Outcome o) {
    return o.passes()
        ? "passes to 0x%x".formatted(o.pa())
        : Objects.requireNonNullElse(o.fault(), "no record").toString();
  }

  /// Both with empty caches and a directory of so many levels.
  static void start(RiscvPair pair, int levels, int gscid) {
    pair.set(RiscvIommuRegisters.DDTP, RiscvIommuRegisters.MODE_OFF);
    pair.set(
        RiscvIommuRegisters.DDTP,
        RiscvIommuRegisters.DDTP_MODE.place(RiscvIommuRegisters.MODE_BARE + levels)
            | RiscvIommuRegisters.DDTP_PPN.place(DirectoryLayout.ppn(RiscvTables.root())));
    forget(pair, gscid);
  }

  private void forget(int gscid) {
    forget(pair, gscid);
  }

  private static void forget(RiscvPair pair, int gscid) {
    long invalidate = OPCODE.place(IOTINVAL);
    pair.command(OPCODE.place(IODIR), 0, WORD);
    pair.command(invalidate | FUNC3.place(VMA), 0, WORD);
    pair.command(invalidate | FUNC3.place(VMA) | GV.mask() | GSCID.place(gscid), 0, WORD);
    pair.command(invalidate | FUNC3.place(GVMA), 0, WORD);
  }

  /// A command, mostly legal.
  private String command() {
    start(pair, 3, 0);
    long first = OPCODE.place(dice.of(IOTINVAL, IOTINVAL, IOFENCE, IODIR, IODIR, dice.below(128)));
    first |= FUNC3.place(dice.percent(80) ? dice.below(2) : dice.below(8));
    int opcode = OPCODE.getInt(first);
    first |= operands(opcode, FUNC3.getInt(first));
    boolean odd = dice.percent(20) && opcode <= IODIR;
    if (odd) {
      first |= 1L << (opcode == IOFENCE ? dice.of(11, 14, 31) : 11);
    }
    long second = opcode == IOFENCE ? WORD >>> 2 : 0;
    // ATS commands are QEMU's alone.
    if (opcode == ATS) {
      return "";
    }
    describe("command 0x%x 0x%x".formatted(first, second));
    int[] written = pair.command(first, second, WORD);
    long[] csr = pair.both(RiscvIommuRegisters.CQCSR);
    long[] head = pair.both(RiscvIommuRegisters.CQH);
    boolean alike = csr[0] == csr[1] && head[0] == head[1] && written[0] == written[1];
    boolean illegal = RiscvIommuRegisters.CMD_ILL.isSet(csr[1]);
    count(illegal ? "illegal command" : "command");
    pair.resume();
    if (alike) {
      return "";
    }
    if (odd && illegal && !RiscvIommuRegisters.CMD_ILL.isSet(csr[0])) {
      count("riscv-command-reserved");
      return "";
    }
    return "CQCSR 0x%x and 0x%x, CQH %d and %d, written 0x%x and 0x%x"
        .formatted(csr[0], csr[1], head[0], head[1], written[0], written[1]);
  }

  private long operands(int opcode, int function) {
    return switch (opcode) {
      case IOTINVAL ->
          AV.place(dice.bits(1))
              | PSCV.place(dice.bits(1))
              | GV.place(dice.bits(1))
              | GSCID.place(dice.bits(16))
              | PSCID.place(dice.bits(20));
      case IOFENCE ->
          FENCE_AV.place(dice.bits(1))
              | FENCE_PR.place(dice.bits(1))
              | FENCE_PW.place(dice.bits(1))
              | FENCE_DATA.place(dice.bits(32));
      case IODIR ->
          DV.place(dice.bits(1))
              | DID.place(dice.bits(24))
              | (function == INVAL_PDT ? PID.place(dice.bits(8)) : 0);
      default -> 0;
    };
  }

  static String causeOf(RiscvPair.@Nullable Fault fault) {
    return fault == null ? "no fault" : FaultLayout.name(fault.cause());
  }

  static long basic(long page) {
    return MsiPteLayout.V.mask()
        | MsiPteLayout.M.place(MsiPteLayout.BASIC)
        | MsiPteLayout.PPN.place(DirectoryLayout.ppn(page));
  }
}
