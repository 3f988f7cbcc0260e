package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Decides whether two SMMUs that show different things may do so.
final class SmmuJudge {
  /// Tolerated because cached table entries may be used until they are invalidated.
  static final String STALE = "stale-or-fresh";

  private static final int INPUT_BITS = 48;
  private static final SmmuOutcome NOTHING = new SmmuOutcome(SmmuOutcome.NOWHERE, List.of());

  static final String TOO_MANY = "too-many-permitted-outcomes";

  private final SmmuDialect dialect;
  private final SmmuOracle oracle;

  SmmuJudge(SmmuDialect dialect, PhysicalMemory memory, History history, CommandLog commands) {
    this.dialect = dialect;
    oracle = new SmmuOracle(dialect.features(), memory, history, commands);
  }

  Verdict register(long address, long ours, long theirs) {
    return new Verdict.Different(
        "register at " + Script.hex(address), Script.hex(ours), Script.hex(theirs));
  }

  /// Compares what the registers say after a step.
  Verdict state(SmmuLook model, SmmuLook other, String after) {
    if (model.cr0ack() != other.cr0ack()) {
      return different("SMMU_CR0ACK" + " after " + after, model.cr0ack(), other.cr0ack());
    }
    if (model.irqCtrlAck() != other.irqCtrlAck()) {
      return different(
          "SMMU_IRQ_CTRLACK" + " after " + after, model.irqCtrlAck(), other.irqCtrlAck());
    }
    if (model.activeErrors() != other.activeErrors()) {
      return different(
          "active errors (SMMU_GERROR ^ SMMU_GERRORN) after " + after,
          model.activeErrors(),
          other.activeErrors());
    }
    if (model.consumer() != other.consumer()) {
      return different("SMMU_CMDQ_CONS.RD" + " after " + after, model.consumer(), other.consumer());
    }
    if (model.commandError() != other.commandError()) {
      return different(
          "SMMU_CMDQ_CONS.ERR" + " after " + after, model.commandError(), other.commandError());
    }
    return Verdict.SAME;
  }

  /// Compares what interrupts came with a step, of two machines that recorded the same and are in the same state.
  ///
  /// @param silent whether nothing was recorded
  Verdict lines(SmmuLook model, SmmuLook other, boolean silent, String after) {
    long more = other.lines() & ~model.lines();
    if (model.lines() == other.lines()) {
      return Verdict.SAME;
    }
    return more == SmmuLines.EVENT_QUEUE
            && model.lines() == (other.lines() & ~more)
            && !silent
            && knows(SmmuQuirk.EVENT_EACH)
        ? new Verdict.Tolerated(List.of(SmmuQuirk.EVENT_EACH.id()), true)
        : different("interrupts of the SMMU with " + after, model.lines(), other.lines());
  }

  private static Verdict different(String what, long ours, long theirs) {
    return new Verdict.Different(what, Script.hex(ours), Script.hex(theirs));
  }

  /// {@return the known difference that lets the other machine consume a command which the model calls illegal}
  Optional<SmmuQuirk> consumedBy(long word0) {
    SmmuQuirk quirk =
        switch (CommandLayout.OPCODE.getInt(word0)) {
          case CommandLayout.CMD_TLBI_EL2_ALL,
              CommandLayout.CMD_TLBI_EL2_ASID,
              CommandLayout.CMD_TLBI_EL2_VA,
              CommandLayout.CMD_TLBI_EL2_VAA,
              CommandLayout.CMD_TLBI_EL3_ALL,
              CommandLayout.CMD_TLBI_EL3_VA,
              CommandLayout.CMD_TLBI_S12_VMALL,
              CommandLayout.CMD_TLBI_S2_IPA,
              CommandLayout.CMD_ATC_INV,
              CommandLayout.CMD_PRI_RESP,
              CommandLayout.CMD_RESUME,
              CommandLayout.CMD_STALL_TERM ->
              SmmuQuirk.ABSENT_COMMANDS;
          case CommandLayout.CMD_SYNC -> SmmuQuirk.SYNC_CS;
          case CommandLayout.CMD_TLBI_NH_VA, CommandLayout.CMD_TLBI_NH_VAA ->
              SmmuQuirk.RANGE_RESERVED;
          default -> null;
        };
    return Optional.ofNullable(quirk).filter(dialect.quirks()::contains);
  }

  boolean knows(SmmuQuirk quirk) {
    return dialect.quirks().contains(quirk);
  }

  /// Judges from now on as at an earlier time: of what happened later nothing counts.
  ///
  /// @param registers as they had been written then
  void goBack(int time, Map<Long, Long> registers) {
    oracle.goBack(time, registers);
  }

  /// Compares what a device's access led to.
  ///
  /// @param full whether a queue had no room for a record
  Verdict message(Step.Access message, SmmuOutcome ours, SmmuOutcome theirs, boolean full) {
    if (ours.equals(theirs)) {
      return Verdict.SAME;
    }
    boolean silent = full || !SmmuRegisters.CR0_EVENTQEN.isSet(oracle.register(SmmuRegisters.CR0));
    Optional<Set<SmmuOutcome>> permitted =
        oracle.permitted(message, EnumSet.noneOf(SmmuQuirk.class));
    if (permitted.isEmpty()) {
      return new Verdict.Tolerated(List.of(TOO_MANY), false);
    }
    if (!holds(permitted.get(), ours, silent)) {
      // Seldom: looked at only where nothing else explains it.
      Optional<Set<SmmuOutcome>> global = oracle.permittedByGlobal(message);
      if (global.isEmpty()) {
        return new Verdict.Tolerated(List.of(TOO_MANY), false);
      }
      permitted.get().addAll(global.get());
    }
    if (!holds(permitted.get(), ours, silent)) {
      return new Verdict.Different(
          "outcome of the access, and the model's is none of " + permitted.get(),
          ours.toString(),
          theirs.toString());
    }
    if (holds(permitted.get(), theirs, silent)) {
      return new Verdict.Tolerated(List.of(STALE), true);
    }
    return known(message, ours, theirs, silent);
  }

  private Verdict known(Step.Access message, SmmuOutcome ours, SmmuOutcome theirs, boolean silent) {
    if (dialect.quirks().contains(SmmuQuirk.IOVA_48_BITS)
        && message.address() >>> INPUT_BITS != 0
        && theirs.equals(NOTHING)) {
      return new Verdict.Tolerated(List.of(SmmuQuirk.IOVA_48_BITS.id()), true);
    }
    // Most often it is this one alone; trying that first spares trying to do without each of the
    // others.
    if (dialect.quirks().contains(SmmuQuirk.CLASS_ZERO)
        && explains(message, EnumSet.of(SmmuQuirk.CLASS_ZERO), theirs, silent)) {
      return new Verdict.Tolerated(List.of(SmmuQuirk.CLASS_ZERO.id()), true);
    }
    Set<SmmuQuirk> needed = EnumSet.noneOf(SmmuQuirk.class);
    needed.addAll(dialect.quirks());
    if (!explains(message, needed, theirs, silent)) {
      return new Verdict.Different("outcome of the access", ours.toString(), theirs.toString());
    }
    for (SmmuQuirk q : dialect.quirks()) {
      needed.remove(q);
      if (!explains(message, needed, theirs, silent)) {
        needed.add(q);
      }
    }
    List<String> names = new ArrayList<>();
    needed.forEach(q -> names.add(q.id()));
    return new Verdict.Tolerated(names, true);
  }

  private boolean explains(
      Step.Access message, Set<SmmuQuirk> quirks, SmmuOutcome outcome, boolean silent) {
    return oracle.permitted(message, quirks).map(p -> holds(p, outcome, silent)).orElse(true);
  }

  private static boolean holds(Set<SmmuOutcome> permitted, SmmuOutcome outcome, boolean silent) {
    return permitted.contains(outcome)
        || (silent
            && outcome.records().isEmpty()
            && permitted.stream().anyMatch(p -> p.landed() == outcome.landed()));
  }
}
