package dev.doorbell.hw.gicv3;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import java.util.function.LongSupplier;

/// Waits for a bit of a register to clear, for a number of reads instead of a time.
final class BoundedPoll {
  private static final int READS = 1_000_000;

  private BoundedPoll() {}

  /// @throws MsiControllerFailed when it stays set
  static void untilClear(String controller, String register, long mask, LongSupplier read) {
    long value = 0;
    for (int i = 0; i < READS; i++) {
      value = read.getAsLong();
      if ((value & mask) == 0) {
        return;
      }
      Thread.onSpinWait();
    }
    throw new MsiControllerFailed(
        controller,
        "keeps bits 0x%x of %s set (0x%x) over %d reads".formatted(mask, register, value, READS),
        Source.rule(register));
  }
}
