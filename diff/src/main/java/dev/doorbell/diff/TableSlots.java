package dev.doorbell.diff;

import java.util.function.Consumer;

/// Hands out room for translation tables, zeroed.
final class TableSlots {
  private final long end;
  private final int slot;
  private long next;

  /// @param slot what a table has at least, a power of two
  TableSlots(long start, long end, int slot) {
    next = start;
    this.end = end;
    this.slot = slot;
  }

  /// {@return the address of a table of one granule; the last slot again when all are used}
  long take(int granule, Consumer<Step> out) {
    long bytes = Math.max(slot, 1L << granule);
    long at = Math.min((next + bytes - 1) & -bytes, end - bytes);
    next = at + bytes;
    out.accept(new Step.Clear(at, 1L << granule));
    return at;
  }
}
