package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.diff.PlainTrial.Tolerance;
import dev.doorbell.hw.gicv2.GiccRegisters;
import java.util.Optional;

/// How QEMU's GICv2 and message frame are known to differ from the manual.
final class V2mKnown implements PlainTrial.Known {
  /// IHI 0048B.b, 3.3.3: the group priority of a pending interrupt decides whether it preempts; QEMU compares the whole priority. The two
  /// differ where the binary points of the groups do.
  private static final Tolerance SUBPRIORITY = new Tolerance("gicv2-subpriority", false);

  /// IHI 0048B.b, 4.4.4: GICC_IAR answers 1022 for a Group 1 interrupt of sufficient priority; QEMU does not look at the priority then.
  private static final Tolerance WAITING_GROUP = new Tolerance("gicv2-1022-early", true);

  private static final long LEAST_ABPR = 1;

  private long bpr;
  private long abpr = LEAST_ABPR;

  @Override
  public void saw(Step step) {
    if (step instanceof Step.Write(long address, int _, long value)) {
      if (is(address, GiccRegisters.BPR)) {
        bpr = GiccRegisters.BINARY_POINT.get(value);
      } else if (is(address, GiccRegisters.ABPR)) {
        abpr = Math.max(LEAST_ABPR, GiccRegisters.BINARY_POINT.get(value));
      }
    }
  }

  @Override
  public Optional<Tolerance> tolerates(Step step, Verdict.Different seen) {
    if (seen.what().startsWith(GiccRegisters.IAR.name())
        && Long.decode(seen.model()) == GiccRegisters.SPURIOUS
        && Long.decode(seen.other()) == GiccRegisters.GROUP1_WAITS) {
      return Optional.of(WAITING_GROUP);
    }
    boolean refused =
        seen.what().startsWith(GiccRegisters.IAR.name())
            && Long.decode(seen.other()) == GiccRegisters.SPURIOUS;
    return refused && abpr != bpr + 1 ? Optional.of(SUBPRIORITY) : Optional.empty();
  }

  private static boolean is(long address, Register register) {
    return address == Board.GICC + register.offset();
  }
}
