package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.vmsa.DescriptorLayout;
import java.util.List;
import java.util.Objects;

/// Makes the stage 2 below a stage 1: a block that leads to the CD and the tables of stage 1, and leaves for what stage 1 leads to. The
/// addresses between the two stages are never those of memory.
final class NestMaker {
  private static final int LAST_LEVEL = 3;
  private static final int BLOCK_LEVEL = 2;
  private static final int GIGABYTE = 30;
  private static final int HIGHEST_WINDOW = 37;
  private static final int GRANULE_4K = 12;

  private final SmmuDraft draft;

  NestMaker(SmmuDraft draft) {
    this.draft = draft;
  }

  /// Puts a stage 2 below a stage 1 that has nothing mapped yet.
  void nest(StreamSpace space) {
    int granule = draft.dice.of(GRANULE_4K, GRANULE_4K, 14, 16);
    int inputBits = draft.dice.of(39, 36, 34, granule == GRANULE_4K ? 32 : 38);
    StreamSpace outer =
        new StreamSpace(granule, inputBits, true, draft.outerSlots, draft.steps::add);
    // No memory and no device is there, so that an address that stage 2 should have had is lost.
    long window = 1L << windowBit(inputBits);
    space.within(outer, window - Board.RAM);
    // One block for all of it, so that a table which stage 2 has not is one that the CD misnames.
    int level = granule == GRANULE_4K ? 1 : BLOCK_LEVEL;
    outer.map(window, level, SmmuTableMaker.secondLeaf(level, Board.RAM));
  }

  private static int windowBit(int inputBits) {
    return Math.min(inputBits - 1, HIGHEST_WINDOW);
  }

  /// {@return a bit that leads an address of a nested stream's tables to where stage 2 maps nothing}
  ///
  /// @param bit any above what one block of stage 2 covers
  static int bitOutsideWindow(StreamSpace space, int bit) {
    StreamSpace outer = Objects.requireNonNull(space.outer());
    return bit == windowBit(outer.inputBits) ? bit - 1 : bit;
  }

  /// {@return a changed table descriptor of stage 2: none, one that leads to another table of its level, a block, or as it was}
  long mutatedOuterTable(StreamSpace outer, StreamSpace.Entry e) {
    long whole = tableTo(e.next);
    return switch (draft.dice.below(5)) {
      case 0 -> 0;
      // Other granules have blocks at level 2 alone (`smmu-block-level`).
      case 1 ->
          e.level == BLOCK_LEVEL || outer.granule == GRANULE_4K
              ? DescriptorLayout.TABLE_TYPE.with(whole, 0)
              : 0;
      case 2 -> {
        List<StreamSpace.Entry> alike =
            outer.tables.stream().filter(t -> t.level == e.level && t != e).toList();
        yield alike.isEmpty() ? 0 : tableTo(draft.dice.of(alike).next);
      }
      default -> whole;
    };
  }

  private static long tableTo(long next) {
    return DescriptorLayout.TABLE_VALID.mask()
        | DescriptorLayout.TABLE_TYPE.mask()
        | DescriptorLayout.NEXT_TABLE.place(next);
  }

  /// Maps by stage 2 a page or block that leads to a target.
  ///
  /// {@return its input address}
  ///
  /// @param size of the leaf of stage 1, within which the offsets of the two are alike
  long ipa(StreamSpace outer, long target, long size) {
    int level = draft.dice.percent(25) ? BLOCK_LEVEL : LAST_LEVEL;
    long block = 1L << outer.shift(level);
    long span = Math.max(size, block);
    long ipa = (draft.dice.bits(GIGABYTE) & -span) | (target & (span - 1));
    outer.map(ipa & -block, level, SmmuTableMaker.secondLeaf(level, target & -block));
    return ipa;
  }

  /// {@return whether a space is the stage 2 of some stream's nested stages}
  boolean isOuter(StreamSpace space) {
    return space.second && space.root >= Board.OUTER_TABLES;
  }

  /// {@return whether a leaf of stage 2 is one that leads to the CD and the tables of stage 1}
  boolean leadsToTables(SmmuStream s, StreamSpace.Entry e) {
    return e.iova >= Board.RAM + s.space.apart();
  }

  /// {@return a block that leads to CD and tables, whole or with something missing}
  long mutatedWindow(SmmuStream s, StreamSpace.Entry e) {
    long whole = SmmuTableMaker.secondLeaf(e.level, e.iova - s.space.apart());
    return switch (draft.dice.below(6)) {
      case 0 -> 0;
      case 1 -> DescriptorLayout.S2_AF.with(whole, 0);
      case 2 -> DescriptorLayout.S2_AP.with(whole, draft.dice.below(4));
      default -> whole;
    };
  }

  /// {@return a changed table descriptor of stage 1 that leads to the same table, to none, or to where stage 2 maps nothing}
  long mutatedTable(StreamSpace.Entry e) {
    long whole = e.value | DescriptorLayout.TABLE_VALID.mask() | DescriptorLayout.TABLE_TYPE.mask();
    return switch (draft.dice.below(6)) {
      case 0 -> 0;
      case 1 -> DescriptorLayout.AP_TABLE.with(whole, draft.dice.below(4));
      case 2 -> whole ^ 1L << draft.dice.from(39, 43);
      case 3 -> whole ^ 1L << draft.dice.of(44, 45, 46, 47);
      default -> DescriptorLayout.AP_TABLE.with(whole, 0);
    };
  }

  /// Invalidates what a leaf of stage 2 gave: all of it for certain, some of it, or nothing.
  void invalidate(SmmuStream s, StreamSpace.Entry e) {
    long machine = CommandLayout.TLBI_VMID.place(s.asid);
    if (leadsToTables(s, e)) {
      // CDs and table addresses that came by it are cached apart, and would be used one by one.
      draft.command(
          CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
          CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
      draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
      draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0);
      return;
    }
    switch (draft.dice.below(7)) {
      case 0 -> {}
      case 1 -> draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
      case 2, 3 ->
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_S12_VMALL) | machine, 0);
      case 4 ->
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ALL) | machine, 0);
      default -> {
        draft.command(
            CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_S2_IPA) | machine,
            CommandLayout.TLBI_ADDRESS.place(e.iova & -(long) Board.PAGE));
        if (draft.dice.percent(60)) {
          draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NH_ALL) | machine, 0);
        }
      }
    }
    draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC), 0);
  }
}
