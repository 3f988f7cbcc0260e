package dev.doorbell.diff;

import static dev.doorbell.hw.gicits.ItsCommandLayout.CODE;
import static dev.doorbell.hw.gicits.ItsCommandLayout.MAPD;
import static dev.doorbell.hw.gicits.ItsCommandLayout.MAPD_VALID;
import static dev.doorbell.hw.gicits.ItsCommandLayout.SIZE;

import dev.doorbell.diff.PlainTrial.Tolerance;
import dev.doorbell.hw.gicv3.GicrRegisters;
import java.util.List;
import java.util.Optional;

/// How QEMU's ITS is known to differ from the manual.
final class ItsKnown implements PlainTrial.Known {
  /// IHI 0069 H, 12.11.25: GICR_PENDBASER.PTZ reads as zero; QEMU answers what was written.
  private static final Tolerance PENDING_TABLE_ZERO = new Tolerance("its-ptz", true);

  /// IHI 0069 H, 5.3.11: Size of a MAPD with V = 0 has no meaning; QEMU passes over the command when it is too large.
  private static final Tolerance UNMAP_SIZE = new Tolerance("its-mapd-size", false);

  private static final int EVENT_BITS = 16;

  @Override
  public Optional<Tolerance> tolerates(Step step, Verdict.Different seen) {
    if (step instanceof Step.Read
        && seen.what().startsWith(GicrRegisters.PENDBASER.name())
        && differOnlyIn(GicrRegisters.PTZ.mask(), seen)) {
      return Optional.of(PENDING_TABLE_ZERO);
    }
    if (step instanceof Step.Command(List<Long> words)
        && words.size() > 2
        && CODE.get(words.get(0)) == MAPD
        && !MAPD_VALID.isSet(words.get(2))
        && SIZE.get(words.get(1)) >= EVENT_BITS) {
      return Optional.of(UNMAP_SIZE);
    }
    return Optional.empty();
  }

  private static boolean differOnlyIn(long mask, Verdict.Different seen) {
    return ((Long.decode(seen.model()) ^ Long.decode(seen.other())) & ~mask) == 0;
  }
}
