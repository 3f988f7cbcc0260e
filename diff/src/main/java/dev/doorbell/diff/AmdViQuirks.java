package dev.doorbell.diff;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import java.util.List;
import java.util.Map;

/// What QEMU's `amd-iommu` does otherwise; `docs/qemu-differences.md` has the same names.
final class AmdViQuirks {
  static final List<PcIommu.Named> ALL =
      List.of(
          new PcIommu.Named("amdvi-ignored-bits", AmdViQuirks::ignored),
          new PcIommu.Named("amdvi-forward", AmdViQuirks::forward),
          new PcIommu.Named("amdvi-table-length", AmdViQuirks::length),
          new PcIommu.Named("amdvi-reserved-of-dma", AmdViQuirks::reserved));

  private static final int PAGE_BITS = 12;
  private static final int INDEX_BITS = 9;
  private static final int SKIPPED = 3;
  private static final long LEVEL_2 = 0x1ffL << PAGE_BITS + INDEX_BITS;

  private AmdViQuirks() {}

  private static long word(PcRun run, int number) {
    return run.view().read64(at(run, number));
  }

  private static long at(PcRun run, int number) {
    long entry = AmdViIommu.DEVICES + (long) run.message().requester() * BYTES;
    return entry + (long) number * Long.BYTES;
  }

  /// Address bits beyond the root's width, and of levels that an entry skips.
  private static List<PcOutcome> ignored(PcRun run) {
    long address = run.message().address();
    int levels = MODE.getInt(word(run, 0));
    if (Pc.isMessage(address) || levels == MODE_NONE || levels > SKIPPED) {
      return List.of();
    }
    long within = address & (1L << PAGE_BITS + INDEX_BITS * levels) - 1;
    return levels == SKIPPED
        ? List.of(run.at(within), run.at(within & ~LEVEL_2))
        : List.of(run.at(within));
  }

  private static List<PcOutcome> forward(PcRun run) {
    boolean forwards = INT_CTL.getInt(word(run, 2)) == INT_FORWARD;
    return Pc.isMessage(run.message().address()) && forwards
        ? List.of(PcOutcome.of(Pc.interrupt(0, 0, 0, 0)))
        : List.of();
  }

  /// As with the longest table that there is.
  private static List<PcOutcome> length(PcRun run) {
    if (!Pc.isMessage(run.message().address())) {
      return List.of();
    }
    long longest = INT_TAB_LEN.with(word(run, 2), MOST_INT_TAB_LEN);
    return List.of(run.with(Map.of(at(run, 2), longest)));
  }

  private static List<PcOutcome> reserved(PcRun run) {
    boolean odd = (word(run, 0) & AmdViGenerator.RESERVED) != 0;
    return Pc.isMessage(run.message().address()) && odd ? List.of(PcOutcome.nothing()) : List.of();
  }
}
