package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SteLayout;
import java.util.Set;

/// Makes STEs and CDs, and changes of them with right, wrong or no invalidation.
final class SmmuEntryMaker {
  private static final long PS_44 = 4;
  private static final long IPS_48 = 5;

  /// Changes of a CD that lead a walk to tables which are none, where stage 1 is alone.
  private static final Set<Integer> BASES = Set.of(18, 20);

  private static final int BASE = 24;

  private final SmmuDraft draft;
  private final SmmuCommandMaker commands;
  private final boolean stage2;

  /// @param stage2 whether the SMMU has two stages: an STE that uses the second is not made here then
  SmmuEntryMaker(SmmuDraft draft, SmmuCommandMaker commands, boolean stage2) {
    this.draft = draft;
    this.commands = commands;
    this.stage2 = stage2;
  }

  void validContext(SmmuStream s) {
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
            | CdLayout.IPS.place(draft.dice.percent(80) ? 4 : draft.dice.from(0, 7))
            | CdLayout.AA64.place(1)
            | CdLayout.R.place(draft.dice.percent(90) ? 1 : 0)
            | CdLayout.A.place(1)
            | CdLayout.TBI0.place(draft.dice.percent(20) ? 1 : 0)
            | CdLayout.ASET.place(1)
            | CdLayout.ASID.place(s.asid);
    long root = s.space.root + s.space.apart();
    s.cdWords[1] = CdLayout.TTB0.place(root);
    s.cdWords[2] = 0;
    if (draft.dice.percent(10)) {
      int upper = s.space.granule == 12 ? 2 : s.space.granule == 14 ? 1 : 3;
      s.cdWords[0] =
          CdLayout.T1SZ.with(CdLayout.EPD1.with(s.cdWords[0], 0), Long.SIZE - s.space.inputBits);
      s.cdWords[0] = CdLayout.TG1.with(s.cdWords[0], upper);
      s.cdWords[2] = CdLayout.TTB1.place(root);
    }
  }

  void validStream(SmmuStream s) {
    s.steWords[0] =
        SteLayout.V.place(1)
            | SteLayout.CONFIG.place(SteLayout.CONFIG_S1_TRANS)
            | SteLayout.S1_CONTEXT_PTR.place(s.cd + s.space.apart());
    s.steWords[1] =
        SteLayout.S1_DSS.place(SteLayout.S1DSS_SSID0)
            | SteLayout.S1_CIR.place(1)
            | SteLayout.S1_COR.place(1)
            | SteLayout.S1_CSH.place(SteLayout.SH_INNER)
            | SteLayout.SHCFG.place(SteLayout.SHCFG_INCOMING);
    StreamSpace outer = s.space.outer();
    if (s.space.second) {
      secondStage(s, s.space, SteLayout.CONFIG_S2_TRANS);
    } else if (outer != null) {
      secondStage(s, outer, SteLayout.CONFIG_NESTED);
    }
  }

  private static void secondStage(SmmuStream s, StreamSpace space, int config) {
    s.steWords[0] = SteLayout.CONFIG.with(s.steWords[0], config);
    int granule = space.granule;
    int code =
        granule == 12 ? CdLayout.TG0_4K : granule == 14 ? CdLayout.TG0_16K : CdLayout.TG0_64K;
    int deepest = granule == 12 ? 2 : 3;
    s.steWords[2] =
        SteLayout.S2_VMID.place(s.asid)
            | SteLayout.S2_T0SZ.place(Long.SIZE - space.inputBits)
            | SteLayout.S2_SL0.place(deepest - space.startLevel())
            | SteLayout.S2_TG.place(code)
            | SteLayout.S2_PS.place(PS_44)
            | SteLayout.S2_AA64.place(1)
            | SteLayout.S2_R.place(1);
    s.steWords[3] = SteLayout.S2_TTB.place(space.root);
  }

  void storeContext(SmmuStream s) {
    if (stage2) {
      // A reserved IPS ends QEMU 8 to 10 with a failed assertion (`smmu-ips-abort`).
      long ips = Math.min(CdLayout.IPS.get(s.cdWords[0]), IPS_48);
      s.cdWords[0] = CdLayout.IPS.with(s.cdWords[0], ips);
    }
    draft.store(s.cd, s.cdWords);
  }

  void changeContext(SmmuStream s) {
    if (s.space.second) {
      changeStream(s);
      return;
    }
    int kind = draft.dice.below(24);
    if (s.space.outer() != null && BASES.contains(kind)) {
      kind = BASE;
    }
    long w = s.cdWords[0];
    switch (kind) {
      case 0 -> w ^= CdLayout.V.mask();
      case 1 -> w ^= CdLayout.AA64.mask();
      case 2 -> w = CdLayout.T0SZ.with(w, draft.dice.below(64));
      case 3 -> w = CdLayout.TG0.with(w, draft.dice.below(4));
      case 4 -> w ^= CdLayout.EPD0.mask();
      case 5 -> w = CdLayout.IPS.with(w, draft.dice.below(8));
      case 6 -> w ^= CdLayout.A.mask();
      case 7 -> w ^= CdLayout.R.mask();
      case 8 -> w ^= CdLayout.S.mask();
      case 9 -> w ^= CdLayout.HA.mask();
      case 10 -> w ^= CdLayout.HD.mask();
      case 11 -> w = CdLayout.ASID.with(w, draft.freshAsid());
      case 12 -> w ^= CdLayout.ENDI.mask();
      case 13 -> w ^= CdLayout.AFFD.mask();
      case 14 -> w ^= CdLayout.TBI0.mask();
      case 15 -> w ^= CdLayout.EPD1.mask();
      case 16 -> w ^= CdLayout.PAN.mask();
      case 17 -> w ^= 1L << draft.dice.below(CdLayout.ASID.lsb());
      case 18 -> s.cdWords[1] ^= 1L << draft.dice.from(4, 55);
      case 19 -> s.cdWords[1] ^= CdLayout.HAD0.mask();
      case BASE -> moveBase(s, draft.dice.of(1, 1, 2));
      case 20 -> s.cdWords[draft.dice.of(1, 2, 3)] ^= 1L << draft.dice.below(Long.SIZE);
      default -> {
        validContext(s);
        w = s.cdWords[0];
      }
    }
    s.cdWords[0] = w;
    storeContext(s);
    if (draft.dice.percent(85)) {
      int id = draft.dice.percent(90) ? s.id : draft.dice.of(draft.streams).id;
      long stream = CommandLayout.CFGI_STREAM_ID.place(id);
      switch (draft.dice.below(4)) {
        case 0 ->
            draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_CD_ALL) | stream, 0);
        case 1 -> draft.command(CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE) | stream, 1);
        default ->
            draft.command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_CD) | stream,
                CommandLayout.CFGI_LEAF.place(draft.dice.below(2)));
      }
      commands.invalidateAll(70);
    }
    if (draft.dice.percent(70)) {
      draft.message(s);
    }
  }

  /// Leads TTB0 or TTB1 of a nested stream to where stage 2 has nothing, beyond every address, or nowhere else, as the lowest bits do not matter.
  private void moveBase(SmmuStream s, int word) {
    int bit =
        switch (draft.dice.below(5)) {
          case 0 -> draft.dice.from(4, 11);
          case 1 -> draft.dice.from(44, 55);
          default -> NestMaker.bitOutsideWindow(s.space, draft.dice.from(31, 43));
        };
    s.cdWords[word] ^= 1L << bit;
  }

  void changeStream(SmmuStream s) {
    int kind = draft.dice.below(18);
    long[] w = s.steWords;
    if (s.space.outer() != null && kind <= 6) {
      kind = 18 + kind;
    }
    switch (kind) {
      case 0 -> w[0] ^= SteLayout.V.mask();
      case 1, 2 -> w[0] = SteLayout.CONFIG.with(w[0], draft.dice.below(stage2 ? 6 : 8));
      case 3 -> w[0] = SteLayout.S1_FMT.with(w[0], draft.dice.below(4));
      case 4 -> w[0] = SteLayout.S1_CD_MAX.with(w[0], draft.dice.of(0, 0, 1, 5));
      case 5 -> w[0] = SteLayout.S1_CONTEXT_PTR.with(w[0], draft.dice.of(draft.streams).cd);
      case 6 -> w[0] ^= 1L << draft.dice.from(6, 55);
      case 7 -> w[1] = SteLayout.S1_DSS.with(w[1], draft.dice.below(4));
      case 8 -> w[1] = SteLayout.EATS.with(w[1], draft.dice.below(4));
      case 9 -> w[1] = SteLayout.STRW.with(w[1], draft.dice.below(4));
      case 10 -> w[1] ^= SteLayout.S1_STALLD.mask();
      case 11 -> w[1] = SteLayout.PRIVCFG.with(w[1], draft.dice.below(4));
      case 12 -> w[draft.dice.of(1, 4, 5)] ^= 1L << draft.dice.below(Long.SIZE);
      case 18 -> w[0] ^= SteLayout.V.mask();
      case 19, 20, 21 -> w[0] = SteLayout.CONFIG.with(w[0], draft.dice.below(8));
      case 22, 23 -> w[0] = SteLayout.S1_CD_MAX.with(w[0], draft.dice.of(0, 0, 1, 5));
      // Beyond what stage 2 maps: elsewhere in memory something may look like a CD.
      case 24 -> w[0] ^= 1L << draft.dice.from(28, 55);
      default -> validStream(s);
    }
    draft.store(s.ste, w);
    if (draft.dice.percent(85)) {
      int id = draft.dice.percent(90) ? s.id : draft.dice.of(draft.streams).id;
      long stream = CommandLayout.CFGI_STREAM_ID.place(id);
      switch (draft.dice.below(5)) {
        case 0 ->
            draft.command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE) | stream,
                CommandLayout.CFGI_RANGE.place(draft.dice.percent(50) ? 31 : draft.dice.below(12)));
        case 1 ->
            draft.command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
                CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
        default ->
            draft.command(
                CommandLayout.OPCODE.place(CommandLayout.CMD_CFGI_STE) | stream,
                CommandLayout.CFGI_LEAF.place(draft.dice.below(2)));
      }
      commands.invalidateAll(70);
    }
    if (draft.dice.percent(70)) {
      draft.message(s);
    }
  }
}
