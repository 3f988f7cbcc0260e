package dev.doorbell.hw.smmuv3;

import dev.doorbell.vmsa.Stage;
import java.util.BitSet;

/// ASIDs and VMIDs of all SMMUs of one machine.
///
/// An address space has one ASID (stage 1) or VMID (stage 2), the same on every SMMU it is attached to, so numbers are given out for the machine
/// and not for the SMMU. The lowest free number is taken: it then fits the narrowest SMMU as long as it can. An address space whose number is
/// too wide for an SMMU is refused there. Number 0 is left out: VMID 0 tags the translations of stage 1 streams. Safe for use from many threads.
public final class SmmuTags {
  private final BitSet asids = new BitSet();
  private final BitSet vmids = new BitSet();

  public SmmuTags() {
    asids.set(0);
    vmids.set(0);
  }

  /// {@return the lowest free number, now taken}
  ///
  /// @param bits width of the numbers on the SMMU that asks
  /// @throws SmmuTagsExhaustedException when all are taken
  synchronized int take(Stage stage, int bits) {
    BitSet taken = of(stage);
    int tag = taken.nextClearBit(0);
    if (tag >= 1 << bits) {
      throw new SmmuTagsExhaustedException(stage, bits);
    }
    taken.set(tag);
    return tag;
  }

  synchronized void giveBack(Stage stage, int tag) {
    of(stage).clear(tag);
  }

  private BitSet of(Stage stage) {
    return stage == Stage.STAGE1 ? asids : vmids;
  }
}
