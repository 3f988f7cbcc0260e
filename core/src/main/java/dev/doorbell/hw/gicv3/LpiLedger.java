package dev.doorbell.hw.gicv3;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Who holds which LPI. Callers synchronise.
final class LpiLedger {
  private final int count;
  private final BitSet held = new BitSet();
  // By INTID from 8192 on, as far as LPIs were ever taken.
  private @Nullable String[] holders = new @Nullable String[0];
  private int next;

  /// @param count LPIs from INTID 8192
  LpiLedger(int count) {
    this.count = count;
  }

  int free() {
    return count - held.cardinality();
  }

  boolean holds(int intid) {
    return intid >= LpiTables.FIRST_LPI && held.get(intid - LpiTables.FIRST_LPI);
  }

  @Nullable String holder(int intid) {
    int at = intid - LpiTables.FIRST_LPI;
    return at < 0 || at >= holders.length ? null : holders[at];
  }

  /// {@return INTIDs, or null when there are fewer free ones}
  int @Nullable [] take(String holder, int wanted) {
    if (wanted > free()) {
      return null;
    }
    int[] intids = new int[wanted];
    // Goes round, so that a number is used again as late as possible.
    int at = next;
    for (int i = 0; i < wanted; i++) {
      at = held.nextClearBit(at);
      if (at >= count) {
        at = held.nextClearBit(0);
      }
      held.set(at);
      intids[i] = LpiTables.FIRST_LPI + at;
      if (at >= holders.length) {
        holders = Arrays.copyOf(holders, Math.min(count, 2 * at + 64));
      }
      holders[at] = holder;
      at++;
    }
    next = at >= count ? 0 : at;
    return intids;
  }

  void giveBack(int intid) {
    held.clear(intid - LpiTables.FIRST_LPI);
    holders[intid - LpiTables.FIRST_LPI] = null;
  }
}
