package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.IoPageLayout.FC;
import static dev.doorbell.hw.amdvi.IoPageLayout.IR;
import static dev.doorbell.hw.amdvi.IoPageLayout.IW;
import static dev.doorbell.hw.amdvi.IoPageLayout.NEXT_LEVEL;
import static dev.doorbell.hw.amdvi.IoPageLayout.PAGE;
import static dev.doorbell.hw.amdvi.IoPageLayout.PAGE_BITS;
import static dev.doorbell.hw.amdvi.IoPageLayout.PR;
import static dev.doorbell.hw.amdvi.IoPageLayout.SIZED_PAGE;
import static dev.doorbell.hw.amdvi.IoPageLayout.U;

import dev.doorbell.iommu.Protection;

/// Reads and writes single entries of page tables. Tables of both formats have four levels of 512 entries.
///
/// **Source** 48882 revision 3.09, 2.2.3 I/O Page Tables for Host Translations, 2.2.6 Guest Page Tables.
enum PageFormat {
  /// Version 1: a page has any power of two of bytes; one larger than its level's size stands in all entries that it covers.
  HOST(IoPages.coveredBits(IoPages.LEVELS + 1)) {
    @Override
    boolean isPresent(long word) {
      return PR.isSet(word);
    }

    @Override
    boolean isTable(long word, int level) {
      return PR.isSet(word)
          && NEXT_LEVEL.getInt(word) != PAGE
          && NEXT_LEVEL.getInt(word) != SIZED_PAGE;
    }

    @Override
    long address(long word) {
      return IoPageLayout.ADDRESS.get(word);
    }

    @Override
    int pageBits(long word, int level) {
      return NEXT_LEVEL.getInt(word) == PAGE
          ? IoPages.coveredBits(level)
          : PAGE_BITS + 1 + Long.numberOfTrailingZeros(~(word >>> PAGE_BITS));
    }

    @Override
    int largest(int bits) {
      return Math.min(bits, IoPages.MOST_BITS);
    }

    @Override
    long sizes() {
      return (2L << IoPages.MOST_BITS) - (1L << PAGE_BITS);
    }

    @Override
    long table(long pa, int nextLevel) {
      return PR.mask()
          | IR.mask()
          | IW.mask()
          | NEXT_LEVEL.place(nextLevel)
          | IoPageLayout.ADDRESS.place(pa);
    }

    @Override
    long page(long pa, int bits, int level, Protection protection) {
      long word =
          (protection.read() ? IR.mask() : 0)
              | (protection.write() ? IW.mask() : 0)
              | (protection.device() ? 0 : FC.mask());
      return like(word, pa, bits, level);
    }

    @Override
    long like(long page, long pa, int bits, int level) {
      long word = page & (IR.mask() | IW.mask() | FC.mask() | U.mask()) | PR.mask();
      if (bits == IoPages.coveredBits(level)) {
        return word | NEXT_LEVEL.place(PAGE) | IoPageLayout.ADDRESS.place(pa);
      }
      // Ones from bit 12 on, and a zero one below the page's size.
      long size = (1L << bits - 1) - (1L << PAGE_BITS);
      return word | NEXT_LEVEL.place(SIZED_PAGE) | IoPageLayout.ADDRESS.place(pa | size);
    }
  },

  /// Version 2: as a process has them, a user's. What may be written may be read; A and D are set from the start, so that the IOMMU need not. The
  /// upper half of the canonical addresses is left alone.
  GUEST(IoPages.coveredBits(IoPages.LEVELS + 1) - 1) {
    @Override
    boolean isPresent(long word) {
      return GuestPageLayout.P.isSet(word);
    }

    @Override
    boolean isTable(long word, int level) {
      return GuestPageLayout.P.isSet(word) && level > 1 && !GuestPageLayout.PS.isSet(word);
    }

    @Override
    long address(long word) {
      return GuestPageLayout.ADDRESS.get(word);
    }

    @Override
    int pageBits(long word, int level) {
      return IoPages.coveredBits(level);
    }

    @Override
    int largest(int bits) {
      int level = (bits - PAGE_BITS) / IoPageLayout.INDEX_BITS + 1;
      return IoPages.coveredBits(Math.min(level, LAST_PAGE_LEVEL));
    }

    @Override
    long sizes() {
      long sizes = 0;
      for (int level = 1; level <= LAST_PAGE_LEVEL; level++) {
        sizes |= IoPages.bytes(level);
      }
      return sizes;
    }

    @Override
    long table(long pa, int nextLevel) {
      return GuestPageLayout.P.mask()
          | GuestPageLayout.RW.mask()
          | GuestPageLayout.US.mask()
          | GuestPageLayout.A.mask()
          | GuestPageLayout.ADDRESS.place(pa);
    }

    @Override
    long page(long pa, int bits, int level, Protection protection) {
      return like(protection.write() ? GuestPageLayout.RW.mask() : 0, pa, bits, level);
    }

    @Override
    long like(long page, long pa, int bits, int level) {
      return page & GuestPageLayout.RW.mask()
          | GuestPageLayout.P.mask()
          | GuestPageLayout.US.mask()
          | GuestPageLayout.A.mask()
          | GuestPageLayout.D.mask()
          | (level > 1 ? GuestPageLayout.PS.mask() : 0)
          | GuestPageLayout.ADDRESS.place(pa);
    }
  };

  /// The last level of guest page tables whose entries can be pages.
  private static final int LAST_PAGE_LEVEL = 3;

  private final int inputBits;

  PageFormat(int inputBits) {
    this.inputBits = inputBits;
  }

  /// {@return width of an address that the tables translate}
  int inputBits() {
    return inputBits;
  }

  abstract boolean isPresent(long word);

  abstract boolean isTable(long word, int level);

  /// {@return whether an entry is a page, or one of several of a page}
  boolean isLeaf(long word, int level) {
    return isPresent(word) && !isTable(word, level);
  }

  /// {@return where the table lies that an entry leads to}
  abstract long address(long word);

  /// {@return log2 of the bytes of the page that an entry of a level is, or is one of several of}
  abstract int pageBits(long word, int level);

  /// {@return log2 of the largest page that there is of at most so many bits, 12 or more}
  abstract int largest(int bits);

  /// {@return sizes that can be mapped, bit n for 2^n bytes}
  abstract long sizes();

  /// {@return an entry that leads to a table}
  abstract long table(long pa, int nextLevel);

  /// {@return a page; one larger than its level's size must stand in all entries that it covers}
  abstract long page(long pa, int bits, int level, Protection protection);

  /// {@return a page with the permissions and attributes of another}
  abstract long like(long page, long pa, int bits, int level);

  /// {@return where a page lies}
  long output(long word, int bits) {
    return address(word) & -(1L << bits);
  }
}
