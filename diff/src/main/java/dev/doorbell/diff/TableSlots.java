package dev.doorbell.diff;

import java.util.function.Consumer;

/// Hands out room for translation tables, zeroed.
final class TableSlots {
  private int used;

  /// {@return the address of a table of one granule; the last slot again when all are used}
  long take(int granule, Consumer<Step> out) {
    long at = Board.TABLES + (long) Math.min(used, Board.TABLE_SLOTS - 1) * Board.TABLE_SLOT;
    used++;
    out.accept(new Step.Clear(at, 1L << granule));
    return at;
  }
}
