package dev.doorbell.diff;

import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.VtdRegisters;

/// The invalidation queue, as a scenario fills it.
final class VtdQueueDraft {
  private static final int PAGE_SHIFT = 12;

  private final PcDraft draft;
  private final Dice dice;
  private final CommandRing ring = new CommandRing();
  private final boolean wide;

  /// @param wide whether descriptors have 32 bytes, as in scalable mode
  VtdQueueDraft(PcDraft draft, boolean wide) {
    this.draft = draft;
    dice = draft.dice;
    this.wide = wide;
  }

  void start() {
    int size = dice.of(0, 0, 1, 2);
    draft.write(VtdRegisters.IQT_REG, 0);
    draft.write(
        VtdRegisters.IQA_REG,
        VtdRegisters.IQA_BASE.place(VtdIommu.QUEUE)
            | VtdRegisters.DW.place(wide ? 1 : 0)
            | VtdRegisters.QS.place(size));
    ring.moved(VtdIommu.QUEUE, 1L << PAGE_SHIFT + size);
    draft.write(VtdRegisters.GCMD_REG, VtdRegisters.QIE.mask());
  }

  private long put(long low, long high) {
    if (wide) {
      draft.command(low, high, 0L, 0L);
      return ring.next(InvalidationLayout.WIDE_BYTES);
    }
    draft.command(low, high);
    return ring.next(InvalidationLayout.BYTES);
  }

  /// An invalidation, and a wait behind it.
  void invalidate(long low, long high) {
    put(low, high);
    put(waits(), Pc.STATUS + Integer.BYTES * dice.bits(1));
    if (dice.percent(10)) {
      // QEMU's ends with a failed assertion where one both writes and interrupts (`vtd-wait-both`).
      put(InvalidationLayout.WAIT | InvalidationLayout.IF.mask(), 0);
    }
  }

  /// QEMU takes no wait descriptor that neither writes nor interrupts (`vtd-wait-fence`).
  private long waits() {
    return InvalidationLayout.WAIT
        | InvalidationLayout.SW.mask()
        | (dice.percent(20) ? InvalidationLayout.FN.mask() : 0)
        | InvalidationLayout.STATUS_DATA.place(1 + dice.bits(30));
  }

  /// A descriptor that is none, or a tail that is none: the queue stops at it with IQE, until software clears that.
  void broken() {
    long high = 0;
    long low =
        switch (dice.below(6)) {
          case 0 -> dice.of(0, 9, 10, 15);
          case 1 -> InvalidationLayout.CONTEXT_CACHE;
          case 2 -> InvalidationLayout.IOTLB;
          case 3 -> InvalidationLayout.IOTLB | 3L << 4 | 1L << dice.from(32, 63);
          case 4 -> {
            high = dice.from(19, 63);
            yield InvalidationLayout.IOTLB | 3L << 4 | InvalidationLayout.IOTLB_DID.place(1);
          }
          default -> InvalidationLayout.WAIT | InvalidationLayout.SW.mask() | 1L << dice.of(9, 31);
        };
    long at = put(low, high);
    // The queue is not to be turned off before it is empty (6.5.2): what it stopped at is
    // replaced.
    draft.store(at, waits(), Pc.STATUS);
    draft.write(VtdRegisters.FSTS_REG, VtdRegisters.IQE.mask());
    invalidate(InvalidationLayout.IOTLB | 1 << 4, 0);
  }
}
