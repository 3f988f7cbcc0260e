package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.irq.X86MessageLayout;
import java.util.List;

/// The registers of a unit, as a scenario sets them up and switches them.
final class VtdUnitDraft {
  /// How tables and destinations are read.
  ///
  /// @param ttm mode of root and context tables
  /// @param extended whether destinations of interrupts have 32 bits
  record Mode(int ttm, boolean extended) {
    static final Mode LEGACY = new Mode(TTM_LEGACY, false);
    static final Mode SCALABLE = new Mode(TTM_SCALABLE, true);
  }

  private static final long ON = QIE.mask() | IRE.mask() | TE.mask();

  private final PcDraft draft;
  private final Dice dice;
  private final VtdQueueDraft queue;
  private final Mode mode;
  private final boolean eventsOn;

  /// @param eventsOn whether the unit tells of faults by a message
  VtdUnitDraft(PcDraft draft, VtdQueueDraft queue, Mode mode, boolean eventsOn) {
    this.draft = draft;
    dice = draft.dice;
    this.queue = queue;
    this.mode = mode;
    this.eventsOn = eventsOn;
  }

  /// Sets the tables' addresses, starts the queue, and turns everything on.
  void start() {
    draft.write(GCMD_REG, 0);
    // Nothing is masked after reset, and vector 0 would be the fault event.
    draft.write(FECTL_REG, IM.mask());
    draft.write(IECTL_REG, IM.mask());
    draft.write(FSTS_REG, IQE.mask() | PFO.mask());
    draft.write(ICS_REG, IWC.mask());
    events();
    draft.write(RTADDR_REG, RTA.place(VtdIommu.ROOT) | TTM.place(mode.ttm));
    draft.write(GCMD_REG, SRTP.mask());
    draft.write(
        IRTADDR_REG,
        IRTA.place(VtdIommu.ENTRIES)
            | SIZE.place(VtdIommu.ENTRY_BITS - 1L)
            | EIME.place(mode.extended ? 1 : 0));
    draft.write(GCMD_REG, SIRTP.mask());
    queue.start();
    draft.write(GCMD_REG, ON);
  }

  /// Where the unit's own messages go; they are let out in some scenarios.
  private void events() {
    long address = X86MessageLayout.FEE.place(X86MessageLayout.WINDOW);
    draft.write(FEDATA_REG, dice.from(16, 255));
    draft.write(FEADDR_REG, address | X86MessageLayout.DESTINATION.place(dice.below(4)));
    draft.write(IEDATA_REG, dice.from(16, 255));
    draft.write(IEADDR_REG, address | X86MessageLayout.DESTINATION.place(dice.below(4)));
    if (eventsOn) {
      draft.write(FECTL_REG, 0);
    }
    if (dice.percent(50)) {
      draft.write(IECTL_REG, 0);
    }
  }

  /// Reads registers, masks the completion event, or turns translation or remapping off for an access.
  void step(Runnable message) {
    switch (dice.below(5)) {
      case 0 -> draft.write(IECTL_REG, dice.percent(50) ? 0 : IM.mask());
      case 1 -> draft.write(ICS_REG, IWC.mask());
      case 2 -> draft.read(RTADDR_REG);
      case 3 -> draft.read(IRTADDR_REG);
      default -> {
        draft.write(GCMD_REG, ON & ~dice.of(List.of(TE, IRE)).mask());
        if (dice.percent(50)) {
          draft.write(dice.of(Pc.REQUESTERS), draft.target() + 4L * dice.below(1024));
        } else {
          message.run();
        }
        draft.write(GCMD_REG, ON);
      }
    }
  }
}
