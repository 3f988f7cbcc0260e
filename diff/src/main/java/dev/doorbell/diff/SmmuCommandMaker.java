package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CommandLayout;

/// Makes commands: those that end an invalidation, and any.
final class SmmuCommandMaker {
  private final SmmuDraft draft;

  SmmuCommandMaker(SmmuDraft draft) {
    this.draft = draft;
  }

  void invalidateAll(int chance) {
    if (draft.dice.percent(chance)) {
      draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_TLBI_NSNH_ALL), 0);
    }
    sync();
  }

  void sync() {
    if (draft.dice.percent(80)) {
      draft.command(
          CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC)
              | CommandLayout.SYNC_CS.place(draft.dice.below(3)),
          0);
    }
  }

  void anyCommand() {
    long word0 =
        switch (draft.dice.below(10)) {
          case 0 -> draft.dice.bits(8);
          case 1 -> CommandLayout.CMD_CFGI_STE | CommandLayout.SSEC.mask();
          case 2 ->
              CommandLayout.OPCODE.place(CommandLayout.CMD_SYNC)
                  | CommandLayout.SYNC_CS.place(draft.dice.below(4));
          case 3 -> draft.dice.of(0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x18, 0x1a);
          case 4 -> draft.dice.of(0x40, 0x41, 0x44, 0x45);
          default -> draft.dice.of(1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46);
        };
    boolean fields = draft.dice.percent(50);
    long operand =
        fields
            ? CommandLayout.CFGI_STREAM_ID.place(draft.dice.of(draft.streams).id)
            : draft.dice.bits(32) << CommandLayout.CFGI_STREAM_ID.lsb();
    long word1 =
        draft.dice.percent(50) ? 0 : draft.dice.bits(Long.SIZE) & CommandLayout.TLBI_ADDRESS.mask();
    draft.command(word0 | operand, word1 | draft.dice.below(2));
    if (draft.dice.percent(60)) {
      draft.steps.add(new Step.Acknowledge());
    }
  }
}
