package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.IoPageLayout.*;

/// What a level of page tables covers, and where its entries lie.
///
/// **Source** 48882 revision 3.09, 2.2.3 I/O Page Tables for Host Translations, 2.2.6 Guest Page Tables.
final class IoPages {
  /// Bytes of a table.
  static final long TABLE = 4096;

  /// Entries of a table.
  static final int ENTRIES = 1 << INDEX_BITS;

  /// Levels of all tables: what every AMD IOMMU has.
  static final int LEVELS = AmdViRegisters.LEAST_LEVELS;

  /// The largest page that is made. One of 512 GiB is told by nobody to work on all hardware.
  static final int MOST_BITS = 38;

  private IoPages() {}

  /// {@return log2 of the bytes that an entry of a level covers; level 1 is the last}
  static int coveredBits(int level) {
    return PAGE_BITS + (level - 1) * INDEX_BITS;
  }

  static long bytes(int level) {
    return 1L << coveredBits(level);
  }

  /// {@return where the entry for an address is}
  static long slot(long table, long iova, int level) {
    return table + (iova >>> coveredBits(level) & ENTRIES - 1) * BYTES;
  }

  /// {@return the last address that the entry for an address covers}
  static long end(long iova, int level) {
    return iova | bytes(level) - 1;
  }
}
