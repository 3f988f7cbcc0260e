package dev.doorbell.diff;

import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.VtdRegisters;

/// The invalidation queue of a {@link VtdPair}, as a scenario fills it.
final class VtdQueue {
  static final long STATUS = 0x100_3000;
  private static final long QUEUE = 0x100_2000;
  private static final int BYTES = 4096;

  private final VtdPair pair;
  private final Dice dice;
  private long tail;

  VtdQueue(VtdPair pair, Dice dice) {
    this.pair = pair;
    this.dice = dice;
  }

  void start() {
    tail = 0;
    pair.set(VtdRegisters.IQA_REG, VtdRegisters.IQA_BASE.place(QUEUE));
    pair.set(VtdRegisters.IQT_REG, 0);
    pair.set(VtdRegisters.GCMD_REG, VtdRegisters.QIE.mask());
  }

  private void put(long low, long high) {
    pair.memory().write64(QUEUE + tail, low);
    pair.memory().write64(QUEUE + tail + Long.BYTES, high);
    tail = (tail + InvalidationLayout.BYTES) % BYTES;
  }

  /// A descriptor, and a wait behind it.
  String invalidate(long low, long high) {
    put(low, high);
    long number = 1L + dice.below(1 << 30);
    put(
        InvalidationLayout.WAIT
            | InvalidationLayout.SW.mask()
            | InvalidationLayout.STATUS_DATA.place(number),
        STATUS);
    int[] written = pair.tail(tail, STATUS);
    return differs("status of a wait descriptor", written[0], written[1])
        + differs("IQH_REG", pair.both(VtdRegisters.IQH_REG))
        + (written[1] == number ? "" : "the model did not come to the wait descriptor");
  }

  /// The tables are shared, so that a change matters to every domain.
  String eachDomain(int domains, long granularity, long mask) {
    StringBuilder out = new StringBuilder();
    for (long domain = 1; domain <= domains; domain++) {
      long runs = granularity == 2 << 4 ? 1 : 1L << 39 - 12 - mask;
      if (runs > 8) {
        granularity = 2 << 4;
        runs = 1;
      }
      for (long run = 0; run < runs; run++) {
        out.append(
            invalidate(
                InvalidationLayout.IOTLB | granularity | domain << 16,
                granularity == 2 << 4 ? 0 : run << mask + 12 | mask));
      }
    }
    return out.toString();
  }

  /// A descriptor without a wait behind it. {@return where it lies}
  long alone(long low) {
    long at = QUEUE + tail;
    put(low, 0);
    pair.tail(tail, STATUS);
    return at;
  }

  static String differs(String what, long... both) {
    return both[0] == both[1] ? "" : "%s: QEMU 0x%x, model 0x%x".formatted(what, both[0], both[1]);
  }
}
