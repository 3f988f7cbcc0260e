package dev.doorbell.diff;

import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.IrteLayout;
import dev.doorbell.irq.X86MessageLayout;

/// Interrupt remapping table entries of a scenario, right and broken, and the messages that lead to them.
final class VtdInterruptDraft {
  private final PcDraft draft;
  private final Dice dice;
  private final VtdQueueDraft queue;
  private final boolean extended;

  /// @param extended whether destinations have 32 bits (IRTA_REG.EIME)
  VtdInterruptDraft(PcDraft draft, VtdQueueDraft queue, boolean extended) {
    this.draft = draft;
    dice = draft.dice;
    this.queue = queue;
    this.extended = extended;
  }

  private long destination() {
    if (!extended) {
      return IrteLayout.XAPIC_DST.place(dice.below(4));
    }
    return IrteLayout.DST.place(
        switch (dice.below(4)) {
          case 0 -> dice.bits(8);
          case 1 -> dice.bits(32);
          case 2 -> 0x100L + dice.below(0x100);
          default -> dice.below(4);
        });
  }

  /// {@return one of a few entries mostly, so that messages meet them}
  private int index() {
    return dice.percent(90) ? dice.below(8) : dice.below(1 << VtdIommu.ENTRY_BITS);
  }

  void entry(boolean later) {
    int index = index();
    int requester = dice.of(Pc.REQUESTERS);
    long low =
        IrteLayout.P.mask()
            | IrteLayout.V.place(dice.from(16, 255))
            | destination()
            | (dice.percent(20) ? IrteLayout.DM.mask() : 0)
            | (dice.percent(10) ? IrteLayout.FPD.mask() : 0)
            | (dice.percent(10) ? IrteLayout.AVAIL.place(dice.bits(4)) : 0)
            | IrteLayout.DLM.place(dice.percent(80) ? 0 : dice.of(1, 2, 4, 5, 7));
    long high = IrteLayout.SID.place(requester) | IrteLayout.SVT.place(IrteLayout.SVT_SID);
    switch (dice.below(14)) {
      case 0 -> low &= ~IrteLayout.P.mask();
      case 1 -> low |= 1L << dice.of(12, 13, 14, 24, 31);
      case 2 -> high |= 1L << dice.of(20, 31, 40, 63);
      case 3 -> high = IrteLayout.SVT.with(high, 0);
      case 4 -> high = IrteLayout.SVT.with(high, 3);
      case 5, 6 -> {
        high = IrteLayout.SVT.with(high, IrteLayout.SVT_BUS);
        high = IrteLayout.SID.with(high, dice.of(0, 1, 0x0100, 0x0101, 0x0005, 0x0300));
      }
      case 7, 8 -> {
        high = IrteLayout.SQ.with(high, dice.below(4));
        high = IrteLayout.SID.with(high, requester ^ dice.below(8));
      }
      default -> {}
    }
    draft.store(VtdIommu.ENTRIES + (long) index * IrteLayout.BYTES, low, high);
    if (!later || !dice.percent(VtdGenerator.COVERED)) {
      return;
    }
    int mask = dice.below(3);
    queue.invalidate(
        dice.percent(30)
            ? InvalidationLayout.INTERRUPT_ENTRY_CACHE
            : InvalidationLayout.INTERRUPT_ENTRY_CACHE
                | InvalidationLayout.IEC_G.mask()
                | InvalidationLayout.IIDX.place(index & -(1 << mask))
                | InvalidationLayout.IM.place(mask),
        0);
  }

  void message() {
    int requester = dice.of(Pc.REQUESTERS);
    long index = dice.percent(95) ? index() : dice.bits(16);
    if (dice.percent(5)) {
      draft.message(
          requester,
          X86MessageLayout.DESTINATION.place(dice.below(4)) | (dice.percent(20) ? 4 : 0),
          16 + dice.below(240));
      return;
    }
    boolean subhandle = dice.percent(50);
    long part = subhandle ? index - dice.below((int) Math.min(index + 1, 16)) : index;
    draft.message(
        requester,
        IrteLayout.FORMAT.mask()
            | (subhandle ? IrteLayout.SHV.mask() : 0)
            | IrteLayout.HANDLE_LOW.place(part & IrteLayout.HANDLE_LOW.max())
            | IrteLayout.HANDLE_HIGH.place(part >>> 15),
        subhandle ? (int) (index - part) : dice.below(0x100));
  }
}
