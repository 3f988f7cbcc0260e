package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.IoPageLayout.*;

import dev.doorbell.iommu.Protection;

/// Writes and reads single entries of host page tables, and says what a level covers.
///
/// **Source** 48882 revision 3.09, 2.2.3 I/O Page Tables for Host Translations.
final class IoPages {
  /// Bytes of a table.
  static final long TABLE = 4096;

  /// Entries of a table.
  static final int ENTRIES = 1 << INDEX_BITS;

  /// The largest page that is made. One of 512 GiB is told by nobody to work on all hardware.
  static final int MOST_BITS = 38;

  private IoPages() {}

  /// {@return log2 of the bytes that an entry of a level covers; level 1 is the last}
  static int shift(int level) {
    return PAGE_BITS + (level - 1) * INDEX_BITS;
  }

  static long bytes(int level) {
    return 1L << shift(level);
  }

  /// {@return where the entry for an address is}
  static long slot(long table, long iova, int level) {
    return table + (iova >>> shift(level) & ENTRIES - 1) * BYTES;
  }

  /// {@return the last address that the entry for an address covers}
  static long end(long iova, int level) {
    return iova | bytes(level) - 1;
  }

  static boolean isTable(long word) {
    return PR.isSet(word)
        && NEXT_LEVEL.getInt(word) != PAGE
        && NEXT_LEVEL.getInt(word) != SIZED_PAGE;
  }

  static boolean isLeaf(long word) {
    return PR.isSet(word) && !isTable(word);
  }

  /// {@return log2 of the bytes of the page that an entry of a level is, or is one of several of}
  static int pageBits(long word, int level) {
    return NEXT_LEVEL.getInt(word) == PAGE
        ? shift(level)
        : PAGE_BITS + 1 + Long.numberOfTrailingZeros(~(word >>> PAGE_BITS));
  }

  /// {@return where a page lies}
  static long output(long word, int bits) {
    return ADDRESS.get(word) & -(1L << bits);
  }

  static long table(long pa, int nextLevel) {
    return PR.mask() | IR.mask() | IW.mask() | NEXT_LEVEL.place(nextLevel) | ADDRESS.place(pa);
  }

  /// {@return a page; one larger than its level's size must stand in all entries that it covers}
  static long page(long pa, int bits, int level, Protection protection) {
    long word =
        (protection.read() ? IR.mask() : 0)
            | (protection.write() ? IW.mask() : 0)
            | (protection.device() ? 0 : FC.mask());
    return page(word, pa, bits, level);
  }

  /// {@return a page with the permissions and attributes of another}
  static long page(long like, long pa, int bits, int level) {
    long word = like & (IR.mask() | IW.mask() | FC.mask() | U.mask()) | PR.mask();
    if (bits == shift(level)) {
      return word | NEXT_LEVEL.place(PAGE) | ADDRESS.place(pa);
    }
    // Ones from bit 12 on, and a zero one below the page's size.
    long size = (1L << bits - 1) - (1L << PAGE_BITS);
    return word | NEXT_LEVEL.place(SIZED_PAGE) | ADDRESS.place(pa | size);
  }
}
