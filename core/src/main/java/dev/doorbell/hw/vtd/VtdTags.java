package dev.doorbell.hw.vtd;

import dev.doorbell.explain.Refusal.Figure;
import java.util.BitSet;

/// Domain ids of all units of one machine. An address space has one, the same at every unit that it is attached to; the lowest free one is taken,
/// which then fits the narrowest unit as long as it can. Id 0 is left out, as units with caching mode keep it for themselves. Safe for use from many threads.
public final class VtdTags {
  private static final int IDS = 0x10000;

  private final BitSet taken = new BitSet();

  public VtdTags() {
    taken.set(0);
  }

  synchronized int take(String unit) {
    int id = taken.nextClearBit(0);
    if (id >= IDS) {
      throw VtdException.exhausted(unit, new Figure(1, "domain ids"), new Figure(0, "domain ids"));
    }
    taken.set(id);
    return id;
  }

  synchronized void giveBack(int id) {
    taken.clear(id);
  }
}
