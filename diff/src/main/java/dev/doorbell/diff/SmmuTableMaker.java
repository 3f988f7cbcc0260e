package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.vmsa.DescriptorLayout;
import java.util.List;

/// Makes translation tables, and changes of them with right, wrong or no invalidation.
final class SmmuTableMaker {
  private static final int DEVICE_PAGE = 4;
  private static final int LAST_LEVEL = 3;
  private static final int TABLE_BITS = 44;

  private final SmmuDraft draft;
  private final SmmuCommandMaker commands;
  private final NestMaker nests;

  SmmuTableMaker(SmmuDraft draft, SmmuCommandMaker commands, NestMaker nests) {
    this.draft = draft;
    this.commands = commands;
    this.nests = nests;
  }

  void addLeaf(SmmuStream s) {
    StreamSpace space = s.space;
    int level = 3;
    boolean block = draft.dice.percent(30);
    if (block) {
      level = space.granule == 12 && draft.dice.percent(30) ? 1 : 2;
    }
    level = Math.max(level, space.startLevel());
    long size = 1L << space.shift(level);
    long target = draft.target();
    long offset = target & (size - 1);
    long iova = space.within(draft.dice.bits(Long.SIZE) & -size) | offset;
    long output = space.outer() == null ? target : nests.ipa(space.outer(), target, size);
    space.map(space.within(iova), level, leaf(space, level, output & -size));
  }

  private static long leaf(StreamSpace space, int level, long output) {
    return space.second ? secondLeaf(level, output) : firstLeaf(level, output);
  }

  static long secondLeaf(int level, long output) {
    return DescriptorLayout.S2_VALID.place(1)
        | DescriptorLayout.S2_TABLE.place(level == 3 ? 1 : 0)
        | DescriptorLayout.S2_MEM_ATTR.place(DescriptorLayout.MEM_ATTR_WRITE_BACK)
        | DescriptorLayout.S2_AP.place(DescriptorLayout.S2AP_READ | DescriptorLayout.S2AP_WRITE)
        | DescriptorLayout.S2_AF.place(1)
        | DescriptorLayout.S2_OUTPUT.place(output);
  }

  private static long firstLeaf(int level, long output) {
    return DescriptorLayout.VALID.place(1)
        | DescriptorLayout.TABLE.place(level == 3 ? 1 : 0)
        | DescriptorLayout.ATTR_INDX.place(DEVICE_PAGE)
        | DescriptorLayout.AP.place(DescriptorLayout.AP_READ_WRITE)
        | DescriptorLayout.AF.place(1)
        | DescriptorLayout.NG.place(1)
        | DescriptorLayout.OUTPUT_ADDRESS.place(output);
  }

  void changeDescriptor(SmmuStream s) {
    StreamSpace space = s.space;
    if (space.leaves.isEmpty() || draft.dice.percent(10)) {
      addLeaf(s);
      return;
    }
    if (space.outer() != null && draft.dice.percent(45)) {
      changeOuter(s, space.outer());
      return;
    }
    boolean table = !space.tables.isEmpty() && draft.dice.percent(15);
    StreamSpace.Entry e = draft.dice.of(table ? space.tables : space.leaves);
    e.value = table ? mutatedTable(space, e) : mutatedLeaf(space, e);
    if (s.space.second && e.level < LAST_LEVEL && DescriptorLayout.TABLE.isSet(e.value)) {
      // QEMU 10 does not look at the size of a table's address at stage 2 (`smmu-s2-table`).
      // Nor of one that all ones tell, which is what is read where PCI has nothing.
      long next = DescriptorLayout.NEXT_TABLE.get(e.value) & -1L >>> (Long.SIZE - TABLE_BITS);
      next &= next >= Board.PCI_HIGH ? ~Board.PCI_HIGH : -1L;
      e.value = DescriptorLayout.NEXT_TABLE.with(e.value, next);
    }
    draft.steps.add(new Step.Store(e.address, List.of(e.value)));
    StreamSpace.Entry used = table ? draft.dice.of(space.leaves) : e;
    invalidateTranslation(s, used, table);
    if (draft.dice.percent(70)) {
      draft.message(s, used.iova);
    }
  }

  /// Changes a descriptor of the stage 2 below a stream's stage 1.
  private void changeOuter(SmmuStream s, StreamSpace outer) {
    boolean table = !outer.tables.isEmpty() && draft.dice.percent(20);
    StreamSpace.Entry e = draft.dice.of(table ? outer.tables : outer.leaves);
    if (table) {
      e.value = nests.mutatedOuterTable(outer, e);
    } else {
      e.value = nests.leadsToTables(s, e) ? nests.mutatedWindow(s, e) : mutatedLeaf(outer, e);
    }
    draft.steps.add(new Step.Store(e.address, List.of(e.value)));
    nests.invalidate(s, e);
    if (draft.dice.percent(70)) {
      draft.message(s);
    }
  }

  private long mutatedLeaf(StreamSpace space, StreamSpace.Entry e) {
    long size = 1L << space.shift(e.level);
    long target = draft.target();
    StreamSpace outer = space.outer();
    long output = outer == null ? target : nests.ipa(outer, target, size);
    long fresh = leaf(space, e.level, output & -size);
    long mutated = mutated(e, fresh);
    // A block that becomes a table leads a walk to what are no tables.
    return e.level < LAST_LEVEL && (outer != null || nests.isOuter(space))
        ? DescriptorLayout.TABLE.with(mutated, 0)
        : mutated;
  }

  private long mutated(StreamSpace.Entry e, long fresh) {
    return switch (draft.dice.below(14)) {
      case 0, 1 -> 0;
      case 2 -> DescriptorLayout.AF.with(e.value, 0);
      case 3 -> DescriptorLayout.AP.with(e.value, draft.dice.below(4));
      case 4 -> DescriptorLayout.AP.with(fresh, DescriptorLayout.AP_READ_ONLY);
      case 5 -> e.value ^ DescriptorLayout.TABLE.mask();
      case 6 -> fresh | 1L << draft.dice.from(26, 47);
      case 7 -> fresh | 1L << draft.dice.from(12, 15);
      case 8 -> e.value ^ 1L << flippable();
      default -> fresh;
    };
  }

  private long mutatedTable(StreamSpace space, StreamSpace.Entry e) {
    if (space.outer() != null) {
      return nests.mutatedTable(e);
    }
    long whole = e.value | DescriptorLayout.TABLE_VALID.mask() | DescriptorLayout.TABLE_TYPE.mask();
    return switch (draft.dice.below(8)) {
      case 0 -> 0;
      case 1 -> DescriptorLayout.AP_TABLE.with(e.value, draft.dice.below(4));
      case 2 -> e.value ^ DescriptorLayout.TABLE_TYPE.mask();
      case 3 -> e.value ^ 1L << draft.dice.from(32, 47);
      case 4 -> e.value ^ 1L << flippable();
      default -> DescriptorLayout.AP_TABLE.with(whole, 0);
    };
  }

  /// Any bit but the Contiguous hint, whose misuse is CONSTRAINED UNPREDICTABLE.
  private int flippable() {
    int bit = draft.dice.below(Long.SIZE);
    return bit == DescriptorLayout.CONTIGUOUS.lsb() ? 0 : bit;
  }

  private void invalidateTranslation(SmmuStream s, StreamSpace.Entry e, boolean table) {
    if (draft.dice.percent(15)) {
      return;
    }
    boolean wrong = draft.dice.percent(15);
    long machine = s.space.outer() == null ? 0 : CommandLayout.TLBI_VMID.place(s.asid);
    if (s.space.second) {
      invalidateSecond(s, wrong ? e.iova + (1L << s.space.shift(e.level)) : e.iova);
      return;
    }
    int asid = CdLayout.ASID.getInt(s.cdWords[0]) + (wrong && draft.dice.percent(50) ? 1 : 0);
    long iova = wrong ? e.iova + (1L << s.space.shift(e.level)) : e.iova;
    long page = iova & -(long) Board.PAGE;
    long leafOnly = table || draft.dice.percent(50) ? 0 : 1;
    long tagged = machine | CommandLayout.TLBI_ASID.place(asid & CommandLayout.TLBI_ASID.max());
    switch (draft.dice.below(8)) {
      case 0 -> draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
      case 1 ->
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ALL) | machine, 0);
      case 2 ->
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ASID) | tagged, 0);
      case 3 ->
          draft.command(
              CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VAA) | machine,
              CommandLayout.TLBI_ADDRESS.place(page) | CommandLayout.TLBI_LEAF.place(leafOnly));
      case 4 -> rangeInvalidation(s, e, tagged, leafOnly);
      default ->
          draft.command(
              CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VA) | tagged,
              CommandLayout.TLBI_ADDRESS.place(page) | CommandLayout.TLBI_LEAF.place(leafOnly));
    }
    commands.sync();
  }

  private void invalidateSecond(SmmuStream s, long ipa) {
    long tagged = CommandLayout.TLBI_VMID.place(s.asid);
    long page = ipa & -(long) Board.PAGE;
    switch (draft.dice.below(5)) {
      case 0 -> draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
      case 1, 2 ->
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_S12_VMALL) | tagged, 0);
      default ->
          draft.command(
              CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_S2_IPA) | tagged,
              CommandLayout.TLBI_ADDRESS.place(page));
    }
    commands.sync();
  }

  private void rangeInvalidation(SmmuStream s, StreamSpace.Entry e, long tagged, long leafOnly) {
    int code = s.space.granule == 12 ? 1 : s.space.granule == 14 ? 2 : 3;
    int level = draft.dice.percent(70) ? e.level : draft.dice.below(4);
    long first = e.iova & -(1L << s.space.shift(e.level));
    draft.command(
        CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_VA)
            | tagged
            | CommandLayout.TLBI_NUM.place(draft.dice.of(0, 1, 3, 31))
            | CommandLayout.TLBI_SCALE.place(draft.dice.of(0, 0, 1, 4, 9)),
        CommandLayout.TLBI_ADDRESS.place(first)
            | CommandLayout.TLBI_TTL.place(level)
            | CommandLayout.TLBI_TG.place(draft.dice.percent(90) ? code : draft.dice.below(4))
            | CommandLayout.TLBI_LEAF.place(leafOnly));
  }
}
