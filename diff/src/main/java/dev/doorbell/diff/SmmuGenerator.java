package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.hw.smmuv3.StreamTableLayout;
import java.util.List;

/// Makes scenarios of an SMMU with stage 1, stage 2 or both: set-up, then table changes with right, wrong or no invalidation, messages, commands of all
/// kinds, and register accesses.
final class SmmuGenerator {
  private static final int OUTPUT_BITS = 44;
  private static final int MOST_MESSAGES = 1000;
  private static final int STREAMS = 3;
  private static final long CR1_ALL_CACHED = 0xd75;

  private final SmmuDraft draft;
  private final SmmuCommandMaker commands;
  private final SmmuTableMaker tables;
  private final SmmuEntryMaker entries;
  private final NestMaker nests;
  private final SmmuDialect dialect;
  private boolean twoLevel;
  private int log2Streams;
  private int split;
  private long cr0;

  /// @param full whether devices read, too
  SmmuGenerator(long seed, SmmuDialect dialect, boolean full) {
    this.dialect = dialect;
    draft = new SmmuDraft(new Dice(seed), full);
    commands = new SmmuCommandMaker(draft);
    nests = new NestMaker(draft);
    tables = new SmmuTableMaker(draft, commands, nests);
    entries = new SmmuEntryMaker(draft, commands, dialect.hasStage2());
  }

  List<Step> generate(int count) {
    setUp();
    while (count > 0 && draft.messages() < MOST_MESSAGES) {
      count--;
      int kind = draft.dice.below(100);
      if (kind < 38) {
        draft.message(draft.dice.of(draft.streams));
      } else if (kind < 58) {
        tables.changeDescriptor(draft.dice.of(draft.streams));
      } else if (kind < 68) {
        entries.changeContext(draft.dice.of(draft.streams));
      } else if (kind < 80) {
        entries.changeStream(draft.dice.of(draft.streams));
      } else if (kind < 90) {
        commands.anyCommand();
      } else if (kind < 94) {
        draft.steps.add(new Step.Drain());
      } else if (kind < 97) {
        draft.steps.add(new Step.Acknowledge());
      } else {
        poke();
      }
    }
    return draft.steps;
  }

  private void setUp() {
    draft.write(SmmuRegisters.CR0, 0);
    draft.steps.add(new Step.Acknowledge());
    draft.write(SmmuRegisters.IRQ_CTRL, draft.dice.of(0, 1, 4, 5));
    draft.write(SmmuRegisters.CR1, CR1_ALL_CACHED);
    draft.write(SmmuRegisters.CR2, draft.dice.percent(80) ? SmmuRegisters.CR2_RECINVSID.mask() : 0);
    streamTable();
    queues();
    draft.steps.add(new Step.Clear(Board.CONTEXTS, (long) CdLayout.BYTES * 64));
    int skipped = draft.dice.below(Board.REQUESTERS.size());
    for (int i = 0; i < STREAMS; i++) {
      addStream(Board.REQUESTERS.get((skipped + i) % Board.REQUESTERS.size()), i);
    }
    cr0 = SmmuRegisters.CR0_CMDQEN.mask();
    draft.write(SmmuRegisters.CR0, cr0);
    draft.command(
        CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
        CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
    draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
    draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0);
    cr0 |= SmmuRegisters.CR0_SMMUEN.mask() | SmmuRegisters.CR0_EVENTQEN.mask();
    draft.write(SmmuRegisters.CR0, cr0);
  }

  private void streamTable() {
    twoLevel = draft.dice.percent(12);
    log2Streams = twoLevel ? 10 : draft.dice.percent(85) ? 10 : draft.dice.from(3, 9);
    split = draft.dice.of(6, 8);
    long config = SmmuRegisters.STRTAB_BASE_CFG_LOG2SIZE.place(log2Streams);
    if (twoLevel) {
      config |=
          SmmuRegisters.STRTAB_BASE_CFG_FMT.place(SmmuRegisters.FMT_2LVL)
              | SmmuRegisters.STRTAB_BASE_CFG_SPLIT.place(split);
    }
    draft.write(SmmuRegisters.STRTAB_BASE_CFG, config);
    draft.write(SmmuRegisters.STRTAB_BASE, Board.STREAMS);
    draft.steps.add(new Step.Clear(Board.STREAMS, (long) SteLayout.BYTES << 10));
    if (twoLevel) {
      draft.steps.add(new Step.Clear(Board.STREAMS_2, (long) SteLayout.BYTES << 10));
      for (int i = 0; i < 1 << (log2Streams - split); i++) {
        int span = draft.dice.percent(80) ? split + 1 : draft.dice.from(0, split + 1);
        long array = Board.STREAMS_2 + ((long) i << split) * SteLayout.BYTES;
        long descriptor =
            StreamTableLayout.SPAN.place(span) | StreamTableLayout.L2_PTR.place(array);
        draft.steps.add(
            new Step.Store(
                Board.STREAMS + (long) i * StreamTableLayout.L1_BYTES, List.of(descriptor)));
      }
    }
  }

  private long steAddress(int id) {
    return (twoLevel ? Board.STREAMS_2 : Board.STREAMS) + (long) id * SteLayout.BYTES;
  }

  private void queues() {
    int log2Commands = draft.dice.from(7, 9);
    long mask = (1L << (log2Commands + 1)) - 1;
    draft.write(
        SmmuRegisters.CMDQ_BASE,
        SmmuRegisters.CMDQ_BASE_ADDR.place(Board.COMMANDS)
            | SmmuRegisters.CMDQ_BASE_LOG2SIZE.place(log2Commands));
    long start = draft.dice.percent(50) ? 0 : draft.dice.bits(20) & mask;
    draft.write(SmmuRegisters.CMDQ_PROD, start);
    draft.write(SmmuRegisters.CMDQ_CONS, start);
    int log2Events = draft.dice.percent(85) ? 7 : draft.dice.from(1, 5);
    long events = draft.dice.percent(50) ? 0 : draft.dice.bits(20) & (1L << (log2Events + 1)) - 1;
    draft.write(
        SmmuRegisters.EVENTQ_BASE,
        SmmuRegisters.OUTQ_BASE_ADDR.place(Board.EVENTS)
            | SmmuRegisters.OUTQ_BASE_LOG2SIZE.place(log2Events));
    draft.write(SmmuRegisters.EVENTQ_PROD, events);
    draft.write(SmmuRegisters.EVENTQ_CONS, events);
    draft.steps.add(new Step.Clear(Board.EVENTS, Board.EVENTS_BYTES));
  }

  private void addStream(int id, int number) {
    boolean second = dialect.hasStage2() && draft.dice.percent(30);
    boolean nested = dialect.nested() && !second && draft.dice.percent(45);
    int granule = draft.dice.of(12, 12, 14, 16);
    int inputBits =
        second
            ? draft.dice.of(39, 36, 34, granule == 12 ? 32 : 42)
            : draft.dice.percent(70) ? draft.dice.of(48, 39, 36, 32, 42) : draft.dice.from(25, 48);
    StreamSpace space = new StreamSpace(granule, inputBits, second, draft.slots, draft.steps::add);
    if (nested) {
      nests.nest(space);
    }
    long cd = Board.CONTEXTS + (long) (number * 2 + 1) * CdLayout.BYTES;
    SmmuStream s = new SmmuStream(id, steAddress(id), cd, space, draft.freshAsid());
    for (int i = draft.dice.from(1, 3); i > 0; i--) {
      tables.addLeaf(s);
    }
    entries.validContext(s);
    entries.storeContext(s);
    entries.validStream(s);
    if (draft.dice.percent(93)) {
      draft.store(s.ste, s.steWords);
    }
    draft.streams.add(s);
  }

  private void poke() {
    switch (draft.dice.below(6)) {
      case 0 -> {
        // Off and on again: nothing may be translated meanwhile, and what is cached may stay.
        draft.write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_SMMUEN.mask());
        draft.message(draft.dice.of(draft.streams), draft.target());
        draft.write(SmmuRegisters.CR0, cr0);
      }
      case 1 -> {
        draft.write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_EVENTQEN.mask());
        draft.message(draft.dice.of(draft.streams));
        draft.write(SmmuRegisters.CR0, cr0);
      }
      case 2 -> draft.write(SmmuRegisters.IRQ_CTRL, draft.dice.of(0, 1, 4, 5));
      case 3 -> draft.read(SmmuRegisters.IRQ_CTRLACK);
      case 4 ->
          draft.read(
              draft.dice.of(
                  List.of(
                      SmmuRegisters.CR0,
                      SmmuRegisters.CR1,
                      SmmuRegisters.CR2,
                      SmmuRegisters.STRTAB_BASE,
                      SmmuRegisters.STRTAB_BASE_CFG,
                      SmmuRegisters.CMDQ_BASE,
                      SmmuRegisters.EVENTQ_BASE,
                      SmmuRegisters.CMDQ_PROD,
                      SmmuRegisters.IRQ_CTRL)));
      default -> {
        draft.write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_CMDQEN.mask());
        draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
        draft.write(SmmuRegisters.CR0, cr0);
      }
    }
  }

  /// The widest output address that a valid CD can promise here.
  static int outputBits() {
    return OUTPUT_BITS;
  }
}
