package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.CommandLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.hw.riscviommu.CommandLayout;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import java.util.List;

/// Scenarios for a RISC-V IOMMU: accesses by chance, each with tables that let it through and then with one flaw in them; messages to interrupt files; commands.
/// All changes are followed by the invalidations that cover them.
final class RiscvGenerator {
  private static final List<RiscvFlaw> FLAWS = RiscvFlaw.all();

  private static final int MOST_LEVELS = 3;

  private final IommuDraft draft;
  private final Dice dice;
  private final RiscvTables tables;

  RiscvGenerator(long seed) {
    draft = new IommuDraft(seed, RiscvIommu.UNIT);
    dice = draft.dice;
    tables = new RiscvTables(draft);
  }

  List<Step> generate(int steps) {
    setUp();
    int end = draft.steps().size() + steps;
    do {
      switch (dice.below(8)) {
        case 0 -> command();
        case 1, 2 -> new RiscvMessageMaker(tables, draft).make(a -> start(a.levels, a.gscid));
        default -> access();
      }
    } while (draft.steps().size() < end);
    return draft.steps();
  }

  private void setUp() {
    draft.clear(RiscvIommu.BOARD.tables());
    draft.write(DDTP, MODE_OFF);
    commandsOff();
    draft.write(CQB, queue(RiscvIommu.COMMANDS, RiscvIommu.COMMAND_SLOTS));
    commandsOn();
    draft.write(FQCSR, 0);
    draft.write(FQB, queue(RiscvIommu.FAULTS, RiscvIommu.FAULT_SLOTS));
    draft.write(FQH, 0);
    draft.write(FQCSR, FQEN.mask());
  }

  private static long queue(long at, int slots) {
    return LOG2SZ.place(Integer.numberOfTrailingZeros(slots) - 1)
        | BASE_PPN.place(DirectoryLayout.ppn(at));
  }

  /// QEMU forgets the error with the queue, the model when the queue is turned on again or software clears it.
  private void commandsOff() {
    draft.write(CQCSR, CMD_ILL.mask());
  }

  /// Turning the queue on sets cqh alone; QEMU's sets cqt, too (`riscv-cqt`).
  private void commandsOn() {
    draft.write(CQT, 0);
    draft.write(CQCSR, CQEN.mask());
  }

  /// Begins with a directory of so many levels, and nothing kept.
  private void start(int levels, int gscid) {
    draft.write(DDTP, MODE_OFF);
    draft.write(
        DDTP,
        DDTP_MODE.place(MODE_BARE + levels)
            | DDTP_PPN.place(DirectoryLayout.ppn(RiscvTables.root())));
    forget(gscid);
  }

  private void forget(int gscid) {
    long invalidate = OPCODE.place(IOTINVAL);
    draft.command(OPCODE.place(IODIR), 0);
    draft.command(invalidate | FUNC3.place(VMA), 0);
    draft.command(invalidate | FUNC3.place(VMA) | GV.mask() | GSCID.place(gscid), 0);
    draft.command(invalidate | FUNC3.place(GVMA), 0);
  }

  private void access() {
    RiscvAccess a = new RiscvAccess(tables, dice, false);
    start(a.levels, a.gscid);
    make(a);
    List<RiscvFlaw> possible = FLAWS.stream().filter(f -> f.fits().test(a)).toList();
    dice.of(possible).apply().accept(a);
    forget(a.gscid);
    make(a);
  }

  /// Only a few devices are there, and they only write, without a process.
  private void make(RiscvAccess a) {
    boolean device = RiscvIommu.REQUESTERS.contains(a.device) && a.process == 0 && !a.reads;
    if (device && dice.percent(70)) {
      draft.send(
          a.device,
          a.iova | (long) Integer.BYTES * dice.below(RiscvTables.PAGE / 4),
          draft.fresh());
      return;
    }
    draft.write(TR_REQ_IOVA, a.iova & TR_VPN.mask());
    draft.write(
        TR_REQ_CTL,
        TR_GO.mask()
            | TR_DID.place(a.device)
            | TR_PID.place(a.process)
            // Process 0 is none for QEMU.
            | TR_PV.place(a.process == 0 ? 0 : 1)
            | TR_NW.place(a.reads ? 1 : 0));
  }

  /// A command, mostly legal, and whatever it came to the queue goes on.
  private void command() {
    long first = OPCODE.place(dice.of(IOTINVAL, IOTINVAL, IOFENCE, IODIR, IODIR, dice.below(128)));
    first |= FUNC3.place(dice.percent(80) ? dice.below(2) : dice.below(8));
    int opcode = OPCODE.getInt(first);
    if (opcode == CommandLayout.ATS) {
      // These are QEMU's alone.
      return;
    }
    // A DID must not be wider than the directory (4.1.3).
    start(MOST_LEVELS, 0);
    first |= operands(opcode, FUNC3.getInt(first));
    if (dice.percent(20) && opcode <= IODIR) {
      first |= 1L << (opcode == IOFENCE ? dice.of(11, 14, 31) : 11);
    }
    draft.command(first, opcode == IOFENCE ? RiscvIommu.WORD >>> 2 : 0);
    commandsOff();
    commandsOn();
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
}
