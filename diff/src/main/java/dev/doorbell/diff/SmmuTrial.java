package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A scenario of an SMMU on two machines.
///
/// After each step it compares what software can see: SMMU_CR0ACK, SMMU_IRQ_CTRLACK, the active errors, SMMU_CMDQ_CONS, new event records, and
/// where a message's datum is in memory, or from where a device read. A landing is taken back before another step can come upon it, so that the memories stay alike.
///
/// Ahead, the other machine is waited for only where the next step needs its answer. What is known to part the two is made up for on the model
/// then, in the expectation that the other machine does as it is known to; if it does not, that is a difference.
final class SmmuTrial implements Trial {
  private final Hardware hardware;
  private final ModelRig machine;
  private final SmmuSide model;
  private final SmmuSide other;
  private final SmmuJudge judge;
  private final Pace pace;
  private final Map<Long, Long> written = new HashMap<>();
  private final History history = new History();
  private final CommandLog commands = new CommandLog();
  private final List<SmmuMoment> moments = new ArrayList<>();
  private final List<Late> late = new ArrayList<>();
  private SmmuLook othersBefore = SmmuLook.zero();
  private SmmuLook modelsBefore = SmmuLook.zero();
  private int at;
  private boolean looked;
  private boolean parted;
  private long got;

  SmmuTrial(Hardware hardware, ModelRig model, Rig other, SmmuDialect dialect, Pace pace) {
    this.hardware = hardware;
    machine = model;
    boolean lines = hardware == Hardware.SMMUV3_FULL;
    this.model = new SmmuSide(model, lines);
    this.other = new SmmuSide(other, lines);
    this.pace = pace;
    judge = new SmmuJudge(dialect, model.memory(), history, commands);
  }

  private long register(Register register) {
    return written.getOrDefault(Board.SMMU + register.offset(), 0L);
  }

  private static int log2(Map<Long, Long> registers, Register base) {
    return SmmuRegisters.CMDQ_BASE_LOG2SIZE.getInt(
        registers.getOrDefault(Board.SMMU + base.offset(), 0L));
  }

  @Override
  public Verdict perform(int number, Step step) {
    at = number;
    if (parted) {
      return Verdict.SAME;
    }
    act(step);
    if (pace == Pace.AHEAD) {
      return Verdict.SAME;
    }
    settle();
    List<String> reasons = new ArrayList<>();
    Verdict verdict = Verdict.SAME;
    for (Late l : late) {
      verdict = l.verdict();
      if (verdict instanceof Verdict.Tolerated(List<String> names, boolean _)) {
        reasons.addAll(names);
      }
    }
    late.clear();
    return verdict instanceof Verdict.Tolerated(List<String> _, boolean on)
        ? new Verdict.Tolerated(reasons, on)
        : verdict;
  }

  @Override
  public List<Late> end() {
    if (!parted) {
      if (looked && pace == Pace.AHEAD) {
        look("the scenario", null, SmmuOutcome.NOWHERE, false, other.ask());
      }
      settle();
    }
    return List.copyOf(late);
  }

  private void act(Step step) {
    switch (step) {
      case Step.Store(long address, List<Long> words) -> {
        history.store(model.rig.memory(), address, words, at);
        model.rig.store(address, words);
        other.rig.store(address, words);
      }
      case Step.Clear(long address, long bytes) -> {
        history.clear(address, bytes);
        model.rig.clear(address, bytes);
        other.rig.clear(address, bytes);
      }
      case Step.Write(long address, int bytes, long value) -> {
        written.put(address, value);
        model.rig.write(address, value, bytes);
        other.rig.write(address, value, bytes);
        afterWrite("the write of " + Describe.register(hardware, address));
      }
      case Step.Read(long address, int bytes) -> read(address, bytes);
      case Step.Command(List<Long> words) -> command(words);
      case Step.Message m -> message(m);
      case Step.Fetch f -> fetch(f);
      case Step.Drain() -> {
        SmmuLook his = lookBoth();
        model.write(SmmuRegisters.EVENTQ_CONS, model.last().eventProducer());
        other.write(SmmuRegisters.EVENTQ_CONS, his.eventProducer());
        looked = true;
        afterWrite("the drain");
      }
      case Step.Acknowledge() -> {
        SmmuLook his = lookBoth();
        model.write(SmmuRegisters.GERRORN, model.last().gerror());
        other.write(SmmuRegisters.GERRORN, his.gerror());
        looked = true;
        afterWrite("the acknowledgement");
      }
    }
  }

  /// Until the queues are enabled nothing is compared: what earlier scenarios left differs in unimportant ways.
  private void afterWrite(String after) {
    boolean queues =
        SmmuRegisters.CR0_CMDQEN.isSet(register(SmmuRegisters.CR0))
            || SmmuRegisters.CR0_SMMUEN.isSet(register(SmmuRegisters.CR0));
    if (!queues) {
      looked = false;
      return;
    }
    start();
    look(after, null, SmmuOutcome.NOWHERE, false, other.ask());
  }

  /// {@return the other machine's registers when everything is settled, the model's being asked, too}
  private SmmuLook lookBoth() {
    model.ask();
    SmmuLook his = other.ask();
    settle();
    return his;
  }

  private void start() {
    if (!looked) {
      looked = true;
      SmmuLook mine = model.ask();
      model.skipEvents(mine);
      moments.add(SmmuMoment.start(at, mine, other.ask()));
    }
  }

  private void read(long address, int bytes) {
    settle();
    List<Place> place = List.of(new Place("register at " + Script.hex(address), address, bytes));
    long ours = model.rig.read(place)[0];
    long theirs = other.rig.read(place)[0];
    if (ours != theirs) {
      found(at, judge.register(address, ours, theirs));
    }
  }

  private void command(List<Long> words) {
    int log2 = log2(written, SmmuRegisters.CMDQ_BASE);
    long prod = register(SmmuRegisters.CMDQ_PROD);
    long slot = slot(prod);
    model.rig.store(slot, words);
    other.rig.store(slot, words);
    long next = prod + 1 & (2L << log2) - 1;
    written.put(Board.SMMU + SmmuRegisters.CMDQ_PROD.offset(), next);
    model.write(SmmuRegisters.CMDQ_PROD, next);
    other.write(SmmuRegisters.CMDQ_PROD, next);
    look(Describe.command(hardware, words), null, SmmuOutcome.NOWHERE, false, changing());
  }

  private void message(Step.Message m) {
    start();
    other.rig.message(m.requester(), m.address(), m.data());
    machine.message(m.requester(), m.address(), m.data());
    boolean full = model.last().isFull(log2(written, SmmuRegisters.EVENTQ_BASE));
    long landed = machine.landed();
    if (landed != SmmuOutcome.NOWHERE) {
      model.rig.memory().write32(landed, machine.overwritten());
    }
    // A later step may come upon what was written among the tables; a full queue parts the two.
    boolean wait = full || (landed != SmmuOutcome.NOWHERE && landed < Board.TARGETS);
    look("a message", m, landed, wait, changing());
    if (wait) {
      settle();
    }
  }

  private void fetch(Step.Fetch f) {
    start();
    settle();
    if (parted) {
      return;
    }
    got = other.rig.fetch(f.requester(), f.address());
    long word = machine.fetch(f.requester(), f.address());
    if (word == Rig.OUTSIDE_RAM) {
      got = 0;
      word = 0;
    }
    look("a read", f, SmmuOutcome.read(word, List.of()).landed(), true, changing());
    settle();
  }

  /// {@return what a step may have changed that wrote no register} Everything, where registers were written and not looked at.
  private SmmuLook changing() {
    return pace == Pace.AHEAD && looked ? other.askChanging() : other.ask();
  }

  /// Takes note of what a step changed.
  private void look(
      String after, Step.@Nullable Access access, long landed, boolean waits, SmmuLook his) {
    boolean live = waits || pace == Pace.STEPWISE;
    long before = model.last().consumer();
    SmmuLook mine = model.ask();
    noteConsumed(before);
    List<String> reasons = new ArrayList<>();
    if (!live) {
      passOver(reasons, SmmuLook.zero());
      mine = model.last();
    }
    int log2 = log2(written, SmmuRegisters.EVENTQ_BASE);
    List<SmmuRecord> records = model.newRecords(mine, log2);
    Map<Long, Long> registers = pace == Pace.AHEAD ? Map.copyOf(written) : written;
    moments.add(
        new SmmuMoment(
            at, after, mine, his, records, registers, reasons, access, got, landed, live, false));
  }

  private void noteConsumed(long before) {
    int log2 = log2(written, SmmuRegisters.CMDQ_BASE);
    long indexes = (2L << log2) - 1;
    long end = model.last().consumer() & indexes;
    for (long i = before & indexes; i != end; i = i + 1 & indexes) {
      long slot = slot(i);
      commands.add(
          at, model.rig.memory().read64(slot), model.rig.memory().read64(slot + Long.BYTES));
    }
  }

  /// Waits for the other machine, and compares.
  private void settle() {
    other.rig.settle();
    for (SmmuMoment m : List.copyOf(moments)) {
      if (!parted) {
        if (m.starts()) {
          other.skipEvents(m.other());
        } else {
          compare(m);
        }
        othersBefore = m.other();
        modelsBefore = m.model();
      }
    }
    moments.clear();
  }

  private void found(int step, Verdict verdict) {
    if (!(verdict instanceof Verdict.Same)) {
      late.add(new Late(step, verdict));
      parted |= !(verdict instanceof Verdict.Tolerated(List<String> _, boolean on) && on);
    }
  }

  private void compare(SmmuMoment m) {
    int log2 = log2(m.registers(), SmmuRegisters.EVENTQ_BASE);
    List<SmmuRecord> theirs = other.newRecords(m.other(), log2);
    Step.Access access = m.access();
    if (access != null) {
      long landed = othersLanding(m, access, theirs.isEmpty());
      boolean full = modelsBefore.isFull(log2) || othersBefore.isFull(log2);
      SmmuOutcome ours = new SmmuOutcome(m.landed(), m.records());
      judge.goBack(m.at(), m.registers());
      found(m.at(), judge.message(access, ours, new SmmuOutcome(landed, theirs), full));
      if (!m.live() && landed != m.landed() && landed < Board.TARGETS && Landing.isRam(landed)) {
        // Steps that ran ahead may have come upon it.
        found(m.at(), new Verdict.Unclear());
      }
    } else if (!m.records().equals(theirs)) {
      found(
          m.at(),
          new Verdict.Different(
              "event records after " + m.after(), m.records().toString(), theirs.toString()));
    }
    // What a full queue does is `smmu-event-overflow`, its interrupts included.
    boolean alike =
        !parted && m.records().equals(theirs) && !m.model().isFull(log2) && !m.other().isFull(log2);
    if (!parted) {
      Verdict verdict = state(m, log2);
      found(m.at(), verdict);
      alike &= verdict instanceof Verdict.Same;
    }
    if (alike) {
      found(m.at(), judge.lines(m.model(), m.other(), m.records().isEmpty(), m.after()));
    }
  }

  /// {@return where the other machine's device wrote, or what it read}
  private long othersLanding(SmmuMoment m, Step.Access access, boolean silent) {
    PhysicalMemory memory = other.rig.memory();
    return switch (access) {
      case Step.Fetch _ -> SmmuOutcome.read(m.got(), List.of()).landed();
      case Step.Message message -> {
        long landed = Landing.find(memory, message, m.landed(), silent);
        if (landed != SmmuOutcome.NOWHERE) {
          // The memories are alike, so that what was there before is the same, too.
          memory.write32(landed, model.rig.memory().read32(landed));
        }
        yield landed;
      }
    };
  }

  /// Compares the registers, and brings the two together again where a known difference has parted them.
  private Verdict state(SmmuMoment m, int log2Events) {
    List<String> reasons = new ArrayList<>(m.reasons());
    SmmuLook mine = m.model();
    SmmuLook his = m.other();
    if (m.live()) {
      boolean full = mine.isFull(log2Events) || his.isFull(log2Events);
      if (full
          && judge.knows(SmmuQuirk.QUEUE_FULL)
          && SmmuRegisters.GERROR_EVENTQ_ABT_ERR.isSet(his.activeErrors() & ~mine.activeErrors())) {
        reasons.add(SmmuQuirk.QUEUE_FULL.id());
        other.write(
            SmmuRegisters.GERRORN,
            his.gerrorAcknowledged() ^ SmmuRegisters.GERROR_EVENTQ_ABT_ERR.mask());
        his = other.look();
      }
      passOver(reasons, his);
      mine = model.last();
    }
    Verdict rest = judge.state(mine, his, m.after());
    if (reasons.isEmpty()) {
      return rest;
    }
    return rest instanceof Verdict.Same
        ? new Verdict.Tolerated(reasons, true)
        : m.live() ? rest : new Verdict.Unclear();
  }

  private long slot(long index) {
    int log2 = log2(written, SmmuRegisters.CMDQ_BASE);
    return Board.COMMANDS + (index & (1L << log2) - 1) * CommandLayout.BYTES;
  }

  /// Lets the model go on behind each command that it stops at and the other machine is known to pass over.
  private void passOver(List<String> reasons, SmmuLook his) {
    while (model.last().commandError() == SmmuRegisters.CERROR_ILL
        && !SmmuRegisters.GERROR_CMDQ_ERR.isSet(his.activeErrors())) {
      long word0 = model.rig.memory().read64(slot(model.last().consumer()));
      Optional<SmmuQuirk> quirk = judge.consumedBy(word0);
      if (quirk.isEmpty()) {
        return;
      }
      reasons.add(quirk.get().id());
      long before = model.last().consumer();
      passOver();
      if (model.last().consumer() == before) {
        return;
      }
    }
  }

  /// As a driver does: with a CMD_SYNC in its place.
  private void passOver() {
    long before = model.last().consumer();
    long slot = slot(before);
    List<Long> words =
        List.of(model.rig.memory().read64(slot), model.rig.memory().read64(slot + Long.BYTES));
    model.rig.store(slot, List.of(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0L));
    model.write(
        SmmuRegisters.GERRORN,
        model.last().gerrorAcknowledged() ^ SmmuRegisters.GERROR_CMDQ_ERR.mask());
    model.ask();
    // The model has not done what the command says: what it may still have cached is the older
    // content.
    noteConsumed(before);
    model.rig.store(slot, words);
  }
}
