package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;

/// Prepares a mapping: the largest pages that fit, sizes between two levels' included where the format has such.
///
/// @param delta output minus input
record TableFilling(
    PhysicalMemory memory,
    PageFormat format,
    TableChange change,
    long delta,
    Protection protection) {
  /// @param live whether hardware may be walking the table
  void fill(long table, int level, long first, long last, boolean live) {
    long at = first;
    while (at <= last) {
      int bits = largest(at, last, level);
      if (bits >= IoPages.coveredBits(level) && live && !isFree(table, at, level, bits)) {
        bits = IoPages.coveredBits(level) - 1;
      }
      if (bits >= IoPages.coveredBits(level)) {
        long word = format.page(at + delta, bits, level, protection);
        for (long end = at + (1L << bits); at < end; at += IoPages.bytes(level)) {
          put(IoPages.slot(table, at, level), word, live);
        }
      } else {
        long end = Math.min(last, IoPages.end(at, level));
        below(IoPages.slot(table, at, level), level, at, end, live);
        at = end + 1;
      }
    }
  }

  private void below(long slot, int level, long first, long last, boolean live) {
    long word = live ? memory.read64(slot) : 0;
    if (format.isTable(word, level)) {
      fill(format.address(word), level - 1, first, last, true);
    } else {
      long fresh = change.take();
      fill(fresh, level - 1, first, last, false);
      put(slot, format.table(fresh, level - 1), live);
    }
  }

  /// {@return log2 of the largest page that starts at an address and that this level or one below can state}
  private int largest(long at, long last, int level) {
    int aligned = Long.numberOfTrailingZeros(at | at + delta | 1L << IoPages.MOST_BITS);
    int fitting = Long.SIZE - 1 - Long.numberOfLeadingZeros(last - at + 1);
    return format.largest(Math.min(Math.min(aligned, fitting), IoPages.coveredBits(level + 1) - 1));
  }

  private boolean isFree(long table, long at, int level, int bits) {
    for (long a = at; a < at + (1L << bits); a += IoPages.bytes(level)) {
      if (memory.read64(IoPages.slot(table, a, level)) != 0) {
        return false;
      }
    }
    return true;
  }

  private void put(long slot, long word, boolean live) {
    if (live) {
      change.write(slot, word);
    } else {
      memory.write64(slot, word);
    }
  }
}
