package dev.doorbell.bench;

import java.util.Arrays;

/// Four levels of tables of 512 entries in one array, and nothing else: what every IOMMU's walk has to do at least.
final class BareTables {
  private static final int ENTRIES = 512;
  private static final int INDEX_BITS = 9;
  private static final int PAGE_BITS = 12;
  private static final int TOP_SHIFT = PAGE_BITS + 3 * INDEX_BITS;

  private long[] words = new long[ENTRIES];
  private int used = ENTRIES;

  /// @param iova 48 bits
  void map(long iova, long pa) {
    int table = 0;
    for (int shift = TOP_SHIFT; shift > PAGE_BITS; shift -= INDEX_BITS) {
      int at = table + index(iova, shift);
      if (words[at] == 0) {
        words[at] = used;
        used += ENTRIES;
        if (used > words.length) {
          words = Arrays.copyOf(words, Math.max(used, 2 * words.length));
        }
      }
      table = (int) words[at];
    }
    words[table + index(iova, PAGE_BITS)] = pa | 1;
  }

  /// {@return the physical address; the page must be mapped}
  long walk(long iova) {
    int table = 0;
    for (int shift = TOP_SHIFT; shift > PAGE_BITS; shift -= INDEX_BITS) {
      table = (int) words[table + index(iova, shift)];
    }
    long leaf = words[table + index(iova, PAGE_BITS)];
    if ((leaf & 1) == 0) {
      throw new IllegalStateException("a mapped page is not in the tables");
    }
    return leaf - 1 + (iova & ((1L << PAGE_BITS) - 1));
  }

  private static int index(long iova, int shift) {
    return (int) (iova >>> shift) & (ENTRIES - 1);
  }
}
