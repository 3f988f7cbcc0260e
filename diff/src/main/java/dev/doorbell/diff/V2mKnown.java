package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.diff.PlainTrial.Tolerance;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import java.util.Optional;

/// How QEMU's GICv2 and message frame are known to differ from the manual.
final class V2mKnown implements PlainTrial.Known {
  /// IHI 0048B.b, 3.3.3: the group priority of a pending interrupt decides whether it preempts; QEMU compares the whole priority. That
  /// matters where the running priority was made with another binary point: that of the other group, or an earlier one.
  private static final Tolerance SUBPRIORITY = new Tolerance("gicv2-subpriority", false);

  /// IHI 0048B.b, 4.4.4: GICC_IAR answers 1022 for a Group 1 interrupt of sufficient priority; QEMU does not look at the priority then.
  private static final Tolerance WAITING_GROUP = new Tolerance("gicv2-1022-early", true);

  private static final long LEAST_ABPR = 1;

  private static final int PRIORITIES = 1020;

  private final int[] priorities = new int[PRIORITIES];
  private long bpr;
  private long abpr = LEAST_ABPR;
  private boolean taken;
  private boolean moved;

  @Override
  public void saw(Step step) {
    switch (step) {
      case Step.Write(long address, int bytes, long value) -> {
        if (is(address, GiccRegisters.BPR)) {
          long next = GiccRegisters.BINARY_POINT.get(value);
          moved |= taken && next != bpr;
          bpr = next;
        } else if (is(address, GiccRegisters.ABPR)) {
          long next = Math.max(LEAST_ABPR, GiccRegisters.BINARY_POINT.get(value));
          moved |= taken && next != abpr;
          abpr = next;
        }
        priorities(address - Board.GICD - GicdRegisters.IPRIORITYR.offset(), bytes, value);
      }
      case Step.Read _, Step.Drain _, Step.Acknowledge _ -> taken = true;
      default -> {}
    }
  }

  private void priorities(long first, int bytes, long value) {
    for (int i = 0; i < bytes && first >= 0 && first + i < PRIORITIES; i++) {
      priorities[(int) first + i] = (int) (value >>> (Byte.SIZE * i)) & 0xff;
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
    return refused && hasSubpriority(Long.decode(seen.model())) && (moved || abpr != bpr + 1)
        ? Optional.of(SUBPRIORITY)
        : Optional.empty();
  }

  /// {@return whether an interrupt's priority has bits below the binary point of one of the groups}
  private boolean hasSubpriority(long iar) {
    int intid = GiccRegisters.INTERRUPT_ID.getInt(iar);
    long below = (1L << Math.max(abpr, bpr + 1)) - 1;
    return intid < PRIORITIES && (priorities[intid] & below) != 0;
  }

  private static boolean is(long address, Register register) {
    return address == Board.GICC + register.offset();
  }
}
