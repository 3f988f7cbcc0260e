package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A scenario of an SMMU on two machines.
///
/// After each step it compares what software can see: SMMU_CR0ACK, SMMU_IRQ_CTRLACK, the active errors, SMMU_CMDQ_CONS, new event records, and
/// where a message's datum is in memory. A landing is taken back at once, so that the memories stay alike.
final class SmmuTrial implements Trial {
  private final ModelRig machine;
  private final SmmuSide model;
  private final SmmuSide other;
  private final SmmuJudge judge;
  private final Map<Long, Long> written = new HashMap<>();
  private final History history = new History();
  private final CommandLog commands = new CommandLog();
  private int time;
  private boolean looked;

  SmmuTrial(ModelRig model, Rig other, SmmuDialect dialect) {
    machine = model;
    this.model = new SmmuSide(model);
    this.other = new SmmuSide(other);
    judge = new SmmuJudge(dialect, model.memory(), history, commands, this::register);
  }

  private long register(Register register) {
    return written.getOrDefault(Board.SMMU + register.offset(), 0L);
  }

  private int log2(Register base) {
    return SmmuRegisters.CMDQ_BASE_LOG2SIZE.getInt(register(base));
  }

  @Override
  public Verdict perform(int at, Step step) {
    time++;
    return switch (step) {
      case Step.Store(long address, List<Long> words) -> {
        history.store(model.rig.memory(), address, words, time);
        store(model, address, words);
        store(other, address, words);
        yield Verdict.SAME;
      }
      case Step.Clear(long address, long bytes) -> {
        history.clear(address, bytes);
        model.rig.memory().fill(address, bytes, (byte) 0);
        other.rig.memory().fill(address, bytes, (byte) 0);
        yield Verdict.SAME;
      }
      case Step.Write(long address, int bytes, long value) -> {
        written.put(address, value);
        model.rig.write(address, value, bytes);
        other.rig.write(address, value, bytes);
        yield afterWrite("the write of " + Describe.register(Hardware.SMMUV3, address));
      }
      case Step.Read(long address, int bytes) -> read(address, bytes);
      case Step.Command(List<Long> words) -> command(words);
      case Step.Message m -> message(m);
      case Step.Drain() -> {
        look();
        model.write(SmmuRegisters.EVENTQ_CONS, model.eventProducer());
        other.write(SmmuRegisters.EVENTQ_CONS, other.eventProducer());
        yield afterWrite("the drain");
      }
      case Step.Acknowledge() -> {
        look();
        model.write(SmmuRegisters.GERRORN, model.gerror());
        other.write(SmmuRegisters.GERRORN, other.gerror());
        yield afterWrite("the acknowledgement");
      }
    };
  }

  private void look() {
    model.look();
    other.look();
    looked = true;
  }

  private static void store(SmmuSide side, long address, List<Long> words) {
    side.rig.store(address, words);
  }

  /// Until the queues are enabled nothing is compared: what earlier scenarios left differs in unimportant ways.
  private Verdict afterWrite(String after) {
    boolean queues =
        SmmuRegisters.CR0_CMDQEN.isSet(register(SmmuRegisters.CR0))
            || SmmuRegisters.CR0_SMMUEN.isSet(register(SmmuRegisters.CR0));
    if (!queues) {
      looked = false;
      return Verdict.SAME;
    }
    if (!looked) {
      look();
      model.skipEvents();
      other.skipEvents();
    }
    return compareState(after);
  }

  private Verdict read(long address, int bytes) {
    List<Place> place = List.of(new Place("register at " + Script.hex(address), address, bytes));
    long ours = model.rig.read(place)[0];
    long theirs = other.rig.read(place)[0];
    return ours == theirs ? Verdict.SAME : judge.register(address, ours, theirs);
  }

  private Verdict command(List<Long> words) {
    int log2 = log2(SmmuRegisters.CMDQ_BASE);
    long prod = register(SmmuRegisters.CMDQ_PROD);
    long indexes = (2L << log2) - 1;
    long at = Board.COMMANDS + (prod & (1L << log2) - 1) * CommandLayout.BYTES;
    store(model, at, words);
    store(other, at, words);
    long next = prod + 1 & indexes;
    written.put(Board.SMMU + SmmuRegisters.CMDQ_PROD.offset(), next);
    model.write(SmmuRegisters.CMDQ_PROD, next);
    other.write(SmmuRegisters.CMDQ_PROD, next);
    return compareState(Describe.command(Hardware.SMMUV3, words));
  }

  /// Compares what every step may have changed.
  private Verdict compareState(String after) {
    long before = model.consumer();
    look();
    noteConsumed(before);
    List<SmmuRecord> ours = model.newRecords(log2(SmmuRegisters.EVENTQ_BASE));
    List<SmmuRecord> theirs = other.newRecords(log2(SmmuRegisters.EVENTQ_BASE));
    if (!ours.equals(theirs)) {
      return new Verdict.Different(
          "event records after " + after, ours.toString(), theirs.toString());
    }
    return state(after, log2(SmmuRegisters.EVENTQ_BASE));
  }

  private void noteConsumed(long before) {
    int log2 = log2(SmmuRegisters.CMDQ_BASE);
    long indexes = (2L << log2) - 1;
    for (long i = before & indexes; i != (model.consumer() & indexes); i = i + 1 & indexes) {
      long at = Board.COMMANDS + (i & (1L << log2) - 1) * CommandLayout.BYTES;
      commands.add(time, model.rig.memory().read64(at), model.rig.memory().read64(at + Long.BYTES));
    }
  }

  private Verdict message(Step.Message m) {
    int log2 = log2(SmmuRegisters.EVENTQ_BASE);
    if (!looked) {
      look();
    }
    boolean full = model.isFull(log2) || other.isFull(log2);
    other.rig.message(m.requester(), m.address(), m.data());
    machine.message(m.requester(), m.address(), m.data());
    look();
    List<SmmuRecord> records = other.newRecords(log2);
    long ours = machine.landed();
    long theirs = Landing.find(other.rig.memory(), m, ours, records.isEmpty());
    // The memories are alike, so that what was there before is the same, too.
    if (ours != SmmuOutcome.NOWHERE) {
      model.rig.memory().write32(ours, machine.overwritten());
    }
    if (theirs != SmmuOutcome.NOWHERE) {
      other.rig.memory().write32(theirs, model.rig.memory().read32(theirs));
    }
    SmmuOutcome a = new SmmuOutcome(ours, model.newRecords(log2));
    SmmuOutcome b = new SmmuOutcome(theirs, records);
    Verdict outcome = judge.message(m, a, b, full, time);
    if (outcome instanceof Verdict.Different) {
      return outcome;
    }
    return both(outcome, state("a message", log2));
  }

  /// Compares the registers, and brings the two together again where a known difference has parted them.
  private Verdict state(String after, int log2Events) {
    List<String> reasons = new ArrayList<>();
    boolean full = model.isFull(log2Events) || other.isFull(log2Events);
    if (full
        && judge.knows(SmmuQuirk.QUEUE_FULL)
        && SmmuRegisters.GERROR_EVENTQ_ABT_ERR.isSet(
            other.activeErrors() & ~model.activeErrors())) {
      reasons.add(SmmuQuirk.QUEUE_FULL.id());
      other.write(
          SmmuRegisters.GERRORN,
          other.gerrorAcknowledged() ^ SmmuRegisters.GERROR_EVENTQ_ABT_ERR.mask());
      other.look();
    }
    while (model.commandError() == SmmuRegisters.CERROR_ILL
        && !SmmuRegisters.GERROR_CMDQ_ERR.isSet(other.activeErrors())) {
      Optional<SmmuQuirk> quirk = judge.consumedBy(stopped());
      if (quirk.isEmpty()) {
        break;
      }
      reasons.add(quirk.get().id());
      long before = model.consumer();
      passOver();
      if (model.consumer() == before) {
        break;
      }
    }
    Verdict rest = judge.state(model, other, after);
    return rest instanceof Verdict.Same && !reasons.isEmpty()
        ? new Verdict.Tolerated(reasons, true)
        : rest;
  }

  private long slot(long index) {
    int log2 = log2(SmmuRegisters.CMDQ_BASE);
    return Board.COMMANDS + (index & (1L << log2) - 1) * CommandLayout.BYTES;
  }

  /// {@return the first word of the command that the model stopped at}
  private long stopped() {
    return model.rig.memory().read64(slot(model.consumer()));
  }

  /// Lets the model go on behind the command that it stopped at, as a driver does: with a CMD_SYNC in its place.
  private void passOver() {
    long at = slot(model.consumer());
    List<Long> words =
        List.of(model.rig.memory().read64(at), model.rig.memory().read64(at + Long.BYTES));
    long before = model.consumer();
    store(model, at, List.of(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0L));
    model.write(
        SmmuRegisters.GERRORN, model.gerrorAcknowledged() ^ SmmuRegisters.GERROR_CMDQ_ERR.mask());
    model.look();
    // The model has not done what the command says: what it may still have cached is the older
    // content.
    noteConsumed(before);
    store(model, at, words);
  }

  private static Verdict both(Verdict first, Verdict second) {
    if (first instanceof Verdict.Tolerated(List<String> a, boolean on)
        && second instanceof Verdict.Tolerated(List<String> b, boolean too)) {
      List<String> all = new ArrayList<>(a);
      all.addAll(b);
      return new Verdict.Tolerated(all, on && too);
    }
    return second instanceof Verdict.Same ? first : second;
  }
}
