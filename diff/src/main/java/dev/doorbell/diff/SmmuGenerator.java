package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.hw.smmuv3.StreamTableLayout;
import dev.doorbell.vmsa.DescriptorLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Makes scenarios of an SMMU with stage 1: set-up, then table changes with right, wrong or no invalidation, messages, commands of all
/// kinds, and register accesses.
final class SmmuGenerator {
  private static final int OUTPUT_BITS = 44;
  private static final int DEVICE_PAGE = 4;
  private static final int MOST_MESSAGES = 1000;
  private static final int STREAMS = 3;
  private static final long CR1_ALL_CACHED = 0xd75;

  private final Dice dice;
  private final List<Step> steps = new ArrayList<>();
  private final List<Stream> streams = new ArrayList<>();
  private final TableSlots slots = new TableSlots();
  private final boolean stage2;
  private boolean twoLevel;
  private int log2Streams;
  private int split;
  private int messages;
  private int asids;
  private long cr0;

  /// A stream with its table entries as they are in memory.
  private static final class Stream {
    final int id;
    final long ste;
    final long cd;
    final long[] steWords = new long[SteLayout.QUADWORDS];
    final long[] cdWords = new long[CdLayout.QUADWORDS];
    final StreamSpace space;
    final int asid;

    Stream(int id, long ste, long cd, StreamSpace space, int asid) {
      this.id = id;
      this.ste = ste;
      this.cd = cd;
      this.space = space;
      this.asid = asid;
    }
  }

  SmmuGenerator(long seed, boolean stage2) {
    dice = new Dice(seed);
    this.stage2 = stage2;
  }

  List<Step> generate(int count) {
    setUp();
    while (count > 0 && messages < MOST_MESSAGES) {
      count--;
      int kind = dice.below(100);
      if (kind < 38) {
        message(dice.of(streams));
      } else if (kind < 58) {
        changeDescriptor(dice.of(streams));
      } else if (kind < 68) {
        changeContext(dice.of(streams));
      } else if (kind < 80) {
        changeStream(dice.of(streams));
      } else if (kind < 90) {
        anyCommand();
      } else if (kind < 94) {
        steps.add(new Step.Drain());
      } else if (kind < 97) {
        steps.add(new Step.Acknowledge());
      } else {
        poke();
      }
    }
    return steps;
  }

  private void setUp() {
    write(SmmuRegisters.CR0, 0);
    steps.add(new Step.Acknowledge());
    write(SmmuRegisters.IRQ_CTRL, dice.of(0, 1, 4, 5));
    write(SmmuRegisters.CR1, CR1_ALL_CACHED);
    write(SmmuRegisters.CR2, dice.percent(80) ? SmmuRegisters.CR2_RECINVSID.mask() : 0);
    streamTable();
    queues();
    steps.add(new Step.Clear(Board.CONTEXTS, (long) CdLayout.BYTES * 64));
    int skipped = dice.below(Board.REQUESTERS.size());
    for (int i = 0; i < STREAMS; i++) {
      addStream(Board.REQUESTERS.get((skipped + i) % Board.REQUESTERS.size()), i);
    }
    cr0 = SmmuRegisters.CR0_CMDQEN.mask();
    write(SmmuRegisters.CR0, cr0);
    command(
        CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
        CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
    command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
    command(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0);
    cr0 |= SmmuRegisters.CR0_SMMUEN.mask() | SmmuRegisters.CR0_EVENTQEN.mask();
    write(SmmuRegisters.CR0, cr0);
  }

  private void streamTable() {
    twoLevel = dice.percent(12);
    log2Streams = twoLevel ? 10 : dice.percent(85) ? 10 : dice.from(3, 9);
    split = dice.of(6, 8);
    long config = SmmuRegisters.STRTAB_BASE_CFG_LOG2SIZE.place(log2Streams);
    if (twoLevel) {
      config |=
          SmmuRegisters.STRTAB_BASE_CFG_FMT.place(SmmuRegisters.FMT_2LVL)
              | SmmuRegisters.STRTAB_BASE_CFG_SPLIT.place(split);
    }
    write(SmmuRegisters.STRTAB_BASE_CFG, config);
    write(SmmuRegisters.STRTAB_BASE, Board.STREAMS);
    steps.add(new Step.Clear(Board.STREAMS, (long) SteLayout.BYTES << 10));
    if (twoLevel) {
      steps.add(new Step.Clear(Board.STREAMS_2, (long) SteLayout.BYTES << 10));
      for (int i = 0; i < 1 << (log2Streams - split); i++) {
        int span = dice.percent(80) ? split + 1 : dice.from(0, split + 1);
        long array = Board.STREAMS_2 + ((long) i << split) * SteLayout.BYTES;
        long descriptor =
            StreamTableLayout.SPAN.place(span) | StreamTableLayout.L2_PTR.place(array);
        steps.add(
            new Step.Store(
                Board.STREAMS + (long) i * StreamTableLayout.L1_BYTES, List.of(descriptor)));
      }
    }
  }

  private long steAddress(int id) {
    return (twoLevel ? Board.STREAMS_2 : Board.STREAMS) + (long) id * SteLayout.BYTES;
  }

  private void queues() {
    int log2Commands = dice.from(7, 9);
    long mask = (1L << (log2Commands + 1)) - 1;
    write(
        SmmuRegisters.CMDQ_BASE,
        SmmuRegisters.CMDQ_BASE_ADDR.place(Board.COMMANDS)
            | SmmuRegisters.CMDQ_BASE_LOG2SIZE.place(log2Commands));
    long start = dice.percent(50) ? 0 : dice.bits(20) & mask;
    write(SmmuRegisters.CMDQ_PROD, start);
    write(SmmuRegisters.CMDQ_CONS, start);
    int log2Events = dice.percent(85) ? 7 : dice.from(1, 5);
    long events = dice.percent(50) ? 0 : dice.bits(20) & (1L << (log2Events + 1)) - 1;
    write(
        SmmuRegisters.EVENTQ_BASE,
        SmmuRegisters.OUTQ_BASE_ADDR.place(Board.EVENTS)
            | SmmuRegisters.OUTQ_BASE_LOG2SIZE.place(log2Events));
    write(SmmuRegisters.EVENTQ_PROD, events);
    write(SmmuRegisters.EVENTQ_CONS, events);
    steps.add(new Step.Clear(Board.EVENTS, 0x1000));
  }

  private void addStream(int id, int number) {
    int granule = dice.of(12, 12, 14, 16);
    int inputBits = dice.percent(70) ? dice.of(48, 39, 36, 32, 42) : dice.from(25, 48);
    StreamSpace space = new StreamSpace(granule, inputBits, slots, steps::add);
    long cd = Board.CONTEXTS + (long) (number * 2 + 1) * CdLayout.BYTES;
    Stream s = new Stream(id, steAddress(id), cd, space, freshAsid());
    for (int i = dice.from(1, 3); i > 0; i--) {
      addLeaf(s);
    }
    validContext(s);
    store(s.cd, s.cdWords);
    validStream(s);
    if (dice.percent(93)) {
      store(s.ste, s.steWords);
    }
    streams.add(s);
  }

  /// One address space, one ASID: tables of another under the same ASID would be software's error. Eight bits or sixteen.
  private int freshAsid() {
    asids++;
    return dice.percent(80) ? asids : asids << 9;
  }

  private void addLeaf(Stream s) {
    StreamSpace space = s.space;
    int level = 3;
    boolean block = dice.percent(30);
    if (block) {
      level = space.granule == 12 && dice.percent(30) ? 1 : 2;
    }
    level = Math.max(level, space.startLevel());
    long size = 1L << space.shift(level);
    long target = target();
    long offset = target & (size - 1);
    long iova = space.within(dice.bits(Long.SIZE) & -size) | offset;
    space.map(space.within(iova), level, leaf(level, target & -size));
  }

  private long target() {
    return Board.TARGETS + (dice.bits(23) & -(long) Board.PAGE);
  }

  private static long leaf(int level, long output) {
    return DescriptorLayout.VALID.place(1)
        | DescriptorLayout.TABLE.place(level == 3 ? 1 : 0)
        | DescriptorLayout.ATTR_INDX.place(DEVICE_PAGE)
        | DescriptorLayout.AP.place(DescriptorLayout.AP_READ_WRITE)
        | DescriptorLayout.AF.place(1)
        | DescriptorLayout.NG.place(1)
        | DescriptorLayout.OUTPUT_ADDRESS.place(output);
  }

  private void validContext(Stream s) {
    int code =
        switch (s.space.granule) {
          case 12 -> CdLayout.TG0_4K;
          case 14 -> CdLayout.TG0_16K;
          default -> CdLayout.TG0_64K;
        };
    s.cdWords[0] =
        CdLayout.T0SZ.place(Long.SIZE - s.space.inputBits)
            | CdLayout.TG0.place(code)
            | CdLayout.EPD1.place(1)
            | CdLayout.V.place(1)
            | CdLayout.IPS.place(dice.percent(80) ? 4 : dice.from(0, 7))
            | CdLayout.AA64.place(1)
            | CdLayout.R.place(dice.percent(90) ? 1 : 0)
            | CdLayout.A.place(1)
            | CdLayout.TBI0.place(dice.percent(20) ? 1 : 0)
            | CdLayout.ASET.place(1)
            | CdLayout.ASID.place(s.asid);
    s.cdWords[1] = CdLayout.TTB0.place(s.space.root);
    s.cdWords[2] = 0;
    if (dice.percent(10)) {
      int upper = s.space.granule == 12 ? 2 : s.space.granule == 14 ? 1 : 3;
      s.cdWords[0] =
          CdLayout.T1SZ.with(CdLayout.EPD1.with(s.cdWords[0], 0), Long.SIZE - s.space.inputBits);
      s.cdWords[0] = CdLayout.TG1.with(s.cdWords[0], upper);
      s.cdWords[2] = CdLayout.TTB1.place(s.space.root);
    }
  }

  private void validStream(Stream s) {
    s.steWords[0] =
        SteLayout.V.place(1)
            | SteLayout.CONFIG.place(SteLayout.CONFIG_S1_TRANS)
            | SteLayout.S1_CONTEXT_PTR.place(s.cd);
    s.steWords[1] =
        SteLayout.S1_DSS.place(SteLayout.S1DSS_SSID0)
            | SteLayout.S1_CIR.place(1)
            | SteLayout.S1_COR.place(1)
            | SteLayout.S1_CSH.place(SteLayout.SH_INNER)
            | SteLayout.SHCFG.place(SteLayout.SHCFG_INCOMING);
  }

  private void message(Stream s) {
    message(s, address(s));
  }

  private void message(Stream s, long near) {
    messages++;
    long page = near & -(long) Board.PAGE;
    steps.add(new Step.Message(s.id, page | (long) messages * Integer.BYTES, 0x8000 | messages));
  }

  private long address(Stream s) {
    if (s.space.leaves.isEmpty() || dice.percent(4)) {
      return dice.bits(dice.of(64, 48, 40, 32));
    }
    StreamSpace.Entry leaf = dice.of(s.space.leaves);
    return switch (dice.below(16)) {
      case 0 -> leaf.iova + (1L << s.space.shift(leaf.level));
      case 1 -> leaf.iova | dice.bits(8) << 56;
      case 2 -> leaf.iova | -1L << s.space.inputBits;
      case 3 -> leaf.iova ^ 1L << dice.below(Long.SIZE);
      case 4 -> target();
      default -> leaf.iova;
    };
  }

  private void changeDescriptor(Stream s) {
    StreamSpace space = s.space;
    if (space.leaves.isEmpty() || dice.percent(10)) {
      addLeaf(s);
      return;
    }
    boolean table = !space.tables.isEmpty() && dice.percent(15);
    StreamSpace.Entry e = dice.of(table ? space.tables : space.leaves);
    e.value = table ? mutatedTable(e) : mutatedLeaf(space, e);
    steps.add(new Step.Store(e.address, List.of(e.value)));
    StreamSpace.Entry used = table ? dice.of(space.leaves) : e;
    invalidateTranslation(s, used, table);
    if (dice.percent(70)) {
      message(s, used.iova);
    }
  }

  private long mutatedLeaf(StreamSpace space, StreamSpace.Entry e) {
    long size = 1L << space.shift(e.level);
    long fresh = leaf(e.level, target() & -size);
    return switch (dice.below(14)) {
      case 0, 1 -> 0;
      case 2 -> DescriptorLayout.AF.with(e.value, 0);
      case 3 -> DescriptorLayout.AP.with(e.value, dice.below(4));
      case 4 -> DescriptorLayout.AP.with(fresh, DescriptorLayout.AP_READ_ONLY);
      case 5 -> e.value ^ DescriptorLayout.TABLE.mask();
      case 6 -> fresh | 1L << dice.from(26, 47);
      case 7 -> fresh | 1L << dice.from(12, 15);
      case 8 -> e.value ^ 1L << flippable();
      default -> fresh;
    };
  }

  private long mutatedTable(StreamSpace.Entry e) {
    long whole = e.value | DescriptorLayout.TABLE_VALID.mask() | DescriptorLayout.TABLE_TYPE.mask();
    return switch (dice.below(8)) {
      case 0 -> 0;
      case 1 -> DescriptorLayout.AP_TABLE.with(e.value, dice.below(4));
      case 2 -> e.value ^ DescriptorLayout.TABLE_TYPE.mask();
      case 3 -> e.value ^ 1L << dice.from(32, 47);
      case 4 -> e.value ^ 1L << flippable();
      default -> DescriptorLayout.AP_TABLE.with(whole, 0);
    };
  }

  /// Any bit but the Contiguous hint, whose misuse is CONSTRAINED UNPREDICTABLE.
  private int flippable() {
    int bit = dice.below(Long.SIZE);
    return bit == DescriptorLayout.CONTIGUOUS.lsb() ? 0 : bit;
  }

  private void invalidateTranslation(Stream s, StreamSpace.Entry e, boolean table) {
    if (dice.percent(15)) {
      return;
    }
    boolean wrong = dice.percent(15);
    int asid = CdLayout.ASID.getInt(s.cdWords[0]) + (wrong && dice.percent(50) ? 1 : 0);
    long iova = wrong ? e.iova + (1L << s.space.shift(e.level)) : e.iova;
    long page = iova & -(long) Board.PAGE;
    long leafOnly = table || dice.percent(50) ? 0 : 1;
    long tagged = CommandLayout.TLBI_ASID.place(asid & CommandLayout.TLBI_ASID.max());
    switch (dice.below(8)) {
      case 0 -> command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
      case 1 -> command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ALL), 0);
      case 2 -> command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ASID) | tagged, 0);
      case 3 ->
          command(
              CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VAA),
              CommandLayout.TLBI_ADDRESS.place(page) | CommandLayout.TLBI_LEAF.place(leafOnly));
      case 4 -> rangeInvalidation(s, e, tagged, leafOnly);
      default ->
          command(
              CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VA) | tagged,
              CommandLayout.TLBI_ADDRESS.place(page) | CommandLayout.TLBI_LEAF.place(leafOnly));
    }
    sync();
  }

  private void rangeInvalidation(Stream s, StreamSpace.Entry e, long tagged, long leafOnly) {
    int code = s.space.granule == 12 ? 1 : s.space.granule == 14 ? 2 : 3;
    int level = dice.percent(70) ? e.level : dice.below(4);
    long first = e.iova & -(1L << s.space.shift(e.level));
    command(
        CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VA)
            | tagged
            | CommandLayout.TLBI_NUM.place(dice.of(0, 1, 3, 31))
            | CommandLayout.TLBI_SCALE.place(dice.of(0, 0, 1, 4, 9)),
        CommandLayout.TLBI_ADDRESS.place(first)
            | CommandLayout.TLBI_TTL.place(level)
            | CommandLayout.TLBI_TG.place(dice.percent(90) ? code : dice.below(4))
            | CommandLayout.TLBI_LEAF.place(leafOnly));
  }

  private void changeContext(Stream s) {
    int kind = dice.below(24);
    long w = s.cdWords[0];
    switch (kind) {
      case 0 -> w ^= CdLayout.V.mask();
      case 1 -> w ^= CdLayout.AA64.mask();
      case 2 -> w = CdLayout.T0SZ.with(w, dice.below(64));
      case 3 -> w = CdLayout.TG0.with(w, dice.below(4));
      case 4 -> w ^= CdLayout.EPD0.mask();
      case 5 -> w = CdLayout.IPS.with(w, dice.below(8));
      case 6 -> w ^= CdLayout.A.mask();
      case 7 -> w ^= CdLayout.R.mask();
      case 8 -> w ^= CdLayout.S.mask();
      case 9 -> w ^= CdLayout.HA.mask();
      case 10 -> w ^= CdLayout.HD.mask();
      case 11 -> w = CdLayout.ASID.with(w, freshAsid());
      case 12 -> w ^= CdLayout.ENDI.mask();
      case 13 -> w ^= CdLayout.AFFD.mask();
      case 14 -> w ^= CdLayout.TBI0.mask();
      case 15 -> w ^= CdLayout.EPD1.mask();
      case 16 -> w ^= CdLayout.PAN.mask();
      case 17 -> w ^= 1L << dice.below(CdLayout.ASID.lsb());
      case 18 -> s.cdWords[1] ^= 1L << dice.from(4, 55);
      case 19 -> s.cdWords[1] ^= CdLayout.HAD0.mask();
      case 20 -> s.cdWords[dice.of(1, 2, 3)] ^= 1L << dice.below(Long.SIZE);
      default -> {
        validContext(s);
        w = s.cdWords[0];
      }
    }
    s.cdWords[0] = w;
    store(s.cd, s.cdWords);
    if (dice.percent(85)) {
      int id = dice.percent(90) ? s.id : dice.of(streams).id;
      long stream = CommandLayout.CFGI_STREAM_ID.place(id);
      switch (dice.below(4)) {
        case 0 -> command(CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_CD_ALL) | stream, 0);
        case 1 -> command(CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE) | stream, 1);
        default ->
            command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_CD) | stream,
                CommandLayout.CFGI_LEAF.place(dice.below(2)));
      }
      invalidateAll(70);
    }
    if (dice.percent(70)) {
      message(s);
    }
  }

  private void changeStream(Stream s) {
    int kind = dice.below(18);
    long[] w = s.steWords;
    switch (kind) {
      case 0 -> w[0] ^= SteLayout.V.mask();
      case 1, 2 -> w[0] = SteLayout.CONFIG.with(w[0], dice.below(stage2 ? 6 : 8));
      case 3 -> w[0] = SteLayout.S1_FMT.with(w[0], dice.below(4));
      case 4 -> w[0] = SteLayout.S1_CD_MAX.with(w[0], dice.of(0, 0, 1, 5));
      case 5 -> w[0] = SteLayout.S1_CONTEXT_PTR.with(w[0], dice.of(streams).cd);
      case 6 -> w[0] ^= 1L << dice.from(6, 55);
      case 7 -> w[1] = SteLayout.S1_DSS.with(w[1], dice.below(4));
      case 8 -> w[1] = SteLayout.EATS.with(w[1], dice.below(4));
      case 9 -> w[1] = SteLayout.STRW.with(w[1], dice.below(4));
      case 10 -> w[1] ^= SteLayout.S1_STALLD.mask();
      case 11 -> w[1] = SteLayout.PRIVCFG.with(w[1], dice.below(4));
      case 12 -> w[dice.of(1, 4, 5)] ^= 1L << dice.below(Long.SIZE);
      default -> validStream(s);
    }
    store(s.ste, w);
    if (dice.percent(85)) {
      int id = dice.percent(90) ? s.id : dice.of(streams).id;
      long stream = CommandLayout.CFGI_STREAM_ID.place(id);
      switch (dice.below(5)) {
        case 0 ->
            command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE) | stream,
                CommandLayout.CFGI_RANGE.place(dice.percent(50) ? 31 : dice.below(12)));
        case 1 ->
            command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
                CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
        default ->
            command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE) | stream,
                CommandLayout.CFGI_LEAF.place(dice.below(2)));
      }
      invalidateAll(70);
    }
    if (dice.percent(70)) {
      message(s);
    }
  }

  private void invalidateAll(int chance) {
    if (dice.percent(chance)) {
      command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
    }
    sync();
  }

  private void sync() {
    if (dice.percent(80)) {
      command(
          CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC)
              | CommandLayout.SYNC_CS.place(dice.below(3)),
          0);
    }
  }

  private void anyCommand() {
    long word0 =
        switch (dice.below(10)) {
          case 0 -> dice.bits(8);
          case 1 -> CommandLayout.CMD_CFGI_STE | CommandLayout.SSEC.mask();
          case 2 ->
              CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC)
                  | CommandLayout.SYNC_CS.place(dice.below(4));
          case 3 -> dice.of(0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x18, 0x1a);
          case 4 -> dice.of(0x40, 0x41, 0x44, 0x45);
          default -> dice.of(1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46);
        };
    boolean fields = dice.percent(50);
    long operand =
        fields
            ? CommandLayout.CFGI_STREAM_ID.place(dice.of(streams).id)
            : dice.bits(32) << CommandLayout.CFGI_STREAM_ID.lsb();
    long word1 = dice.percent(50) ? 0 : dice.bits(Long.SIZE) & CommandLayout.TLBI_ADDRESS.mask();
    command(word0 | operand, word1 | dice.below(2));
    if (dice.percent(60)) {
      steps.add(new Step.Acknowledge());
    }
  }

  private void poke() {
    switch (dice.below(6)) {
      case 0 -> {
        // Off and on again: nothing may be translated meanwhile, and what is cached may stay.
        write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_SMMUEN.mask());
        message(dice.of(streams), target());
        write(SmmuRegisters.CR0, cr0);
      }
      case 1 -> {
        write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_EVENTQEN.mask());
        message(dice.of(streams));
        write(SmmuRegisters.CR0, cr0);
      }
      case 2 -> write(SmmuRegisters.IRQ_CTRL, dice.of(0, 1, 4, 5));
      case 3 -> read(SmmuRegisters.IRQ_CTRLACK);
      case 4 ->
          read(
              dice.of(
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
        write(SmmuRegisters.CR0, cr0 & ~SmmuRegisters.CR0_CMDQEN.mask());
        command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
        write(SmmuRegisters.CR0, cr0);
      }
    }
  }

  private void store(long address, long[] words) {
    List<Long> copy = new ArrayList<>();
    for (long w : words) {
      copy.add(w);
    }
    steps.add(new Step.Store(address, Collections.unmodifiableList(copy)));
  }

  private void command(long word0, long word1) {
    steps.add(new Step.Command(List.of(word0, word1)));
  }

  private void write(Register register, long value) {
    steps.add(new Step.Write(Board.SMMU + register.offset(), register.bytes(), value));
  }

  private void read(Register register) {
    steps.add(new Step.Read(Board.SMMU + register.offset(), register.bytes()));
  }

  /// The widest output address that a valid CD can promise here.
  static int outputBits() {
    return OUTPUT_BITS;
  }
}
