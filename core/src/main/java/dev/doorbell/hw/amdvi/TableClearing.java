package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;

/// Prepares an unmapping. A page that is cut falls into smaller ones of the same translations; tables that map nothing any more are unlinked.
final class TableClearing {
  private final PhysicalMemory memory;
  private final PageFormat format;
  private final TableChange change;
  private final long first;
  private final long last;
  private long mapped;
  private long hullFirst;
  private long hullLast;

  TableClearing(PhysicalMemory memory, PageFormat format, TableChange change, AddressRange range) {
    this.format = format;
    this.memory = memory;
    this.change = change;
    this.first = range.start();
    this.last = range.last();
    hullFirst = first;
    hullLast = last;
  }

  /// {@return bytes that were mapped}
  long mapped() {
    return mapped;
  }

  /// {@return the range, and what the pages cover that it cuts}
  AddressRange hull() {
    return new AddressRange(hullFirst, hullLast);
  }

  void clear(long root, int level) {
    clear(root, level, first, last);
  }

  /// {@return whether nothing is left in a table}
  private boolean clear(long table, int level, long from, long to) {
    loosen(table, level, from);
    if (to >>> IoPages.coveredBits(level) != from >>> IoPages.coveredBits(level)) {
      loosen(table, level, to);
    }
    boolean empty = true;
    for (long at = from; at <= to; at = IoPages.end(at, level) + 1) {
      empty &= clearEntry(table, level, at, Math.min(to, IoPages.end(at, level)));
    }
    long start = from & -IoPages.bytes(level + 1);
    for (int i = 0; empty && i < IoPages.ENTRIES; i++) {
      long at = start + i * IoPages.bytes(level);
      boolean outside = IoPages.end(at, level) < from || at > to;
      empty = !outside || memory.read64(IoPages.slot(table, at, level)) == 0;
    }
    return empty;
  }

  /// {@return whether the entry is empty then}
  private boolean clearEntry(long table, int level, long from, long to) {
    long slot = IoPages.slot(table, from, level);
    long word = memory.read64(slot);
    boolean whole = to - from == IoPages.bytes(level) - 1;
    if (format.isTable(word, level)) {
      long below = format.address(word);
      if (whole) {
        collect(below, level - 1);
      } else if (!clear(below, level - 1, from, to)) {
        return false;
      }
      change.unlink(below);
      change.write(slot, 0);
    } else if (format.isLeaf(word, level)) {
      cut(word, level, from);
      mapped += to - from + 1;
      change.write(
          slot,
          whole
              ? 0
              : format.table(
                  refined(entryPage(word, level, from), level - 1, from, to), level - 1));
      return whole;
    }
    return true;
  }

  /// Makes pages of their level's size of those entries outside the range that share a page with one at its end.
  private void loosen(long table, int level, long end) {
    long word = memory.read64(IoPages.slot(table, end, level));
    if (!format.isLeaf(word, level)) {
      return;
    }
    int bits = format.pageBits(word, level);
    long start = end & -(1L << bits);
    cut(word, level, end);
    for (long at = start;
        bits > IoPages.coveredBits(level) && at < start + (1L << bits);
        at += IoPages.bytes(level)) {
      if (IoPages.end(at, level) < first || at > last) {
        change.write(IoPages.slot(table, at, level), entryPage(word, level, at));
      }
    }
  }

  /// {@return what one entry of a page that several share is by itself}
  private long entryPage(long word, int level, long at) {
    int bits = format.pageBits(word, level);
    long entry = at & -IoPages.bytes(level);
    long pa = format.output(word, bits) + (entry & (1L << bits) - 1);
    return format.like(word, pa, IoPages.coveredBits(level), level);
  }

  /// {@return a new table of a level that maps what the page one level up does, but for a hole}
  private long refined(long page, int level, long holeFirst, long holeLast) {
    long fresh = change.take();
    long start = holeFirst & -IoPages.bytes(level + 1);
    long pa = format.output(page, IoPages.coveredBits(level + 1));
    for (int i = 0; i < IoPages.ENTRIES; i++) {
      long at = start + i * IoPages.bytes(level);
      long end = IoPages.end(at, level);
      long like = format.like(page, pa + (at - start), IoPages.coveredBits(level), level);
      long word;
      if (end < holeFirst || at > holeLast) {
        word = like;
      } else if (at >= holeFirst && end <= holeLast) {
        word = 0;
      } else {
        word =
            format.table(
                refined(like, level - 1, Math.max(at, holeFirst), Math.min(end, holeLast)),
                level - 1);
      }
      memory.write64(fresh + (long) i * IoPageLayout.BYTES, word);
    }
    return fresh;
  }

  private void cut(long word, int level, long at) {
    long mask = (1L << format.pageBits(word, level)) - 1;
    hullFirst = Math.min(hullFirst, at & ~mask);
    hullLast = Math.max(hullLast, at | mask);
  }

  /// Unlinks the tables below a table, and counts what it maps.
  private void collect(long table, int level) {
    for (int i = 0; i < IoPages.ENTRIES; i++) {
      long word = memory.read64(table + (long) i * IoPageLayout.BYTES);
      if (format.isLeaf(word, level)) {
        mapped += IoPages.bytes(level);
      } else if (format.isTable(word, level)) {
        long below = format.address(word);
        collect(below, level - 1);
        change.unlink(below);
      }
    }
  }
}
