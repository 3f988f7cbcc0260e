package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import dev.doorbell.iommu.Protection;

/// How entries of one stage's tables are written.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 9.7 (first stage), 9.8 (second stage).
enum TableEntries {
  /// As a process has them. What may be written may be read; A and D are set from the start, so that units need not.
  FIRST {
    @Override
    long page(Protection protection) {
      return P.mask()
          | US.mask()
          | FS_A.mask()
          | FS_D.mask()
          | (protection.write() ? RW.mask() : 0);
    }

    @Override
    long table() {
      return P.mask() | US.mask() | RW.mask() | FS_A.mask();
    }

    @Override
    boolean isPresent(long entry) {
      return P.isSet(entry);
    }

    @Override
    int inputBits(int levels) {
      // The upper half of the canonical addresses is left alone.
      return PAGE_BITS + levels * INDEX_BITS - 1;
    }
  },
  /// As a host makes them for a guest.
  SECOND {
    @Override
    long page(Protection protection) {
      return (protection.read() ? R.mask() : 0) | (protection.write() ? W.mask() : 0);
    }

    @Override
    long table() {
      return R.mask() | W.mask();
    }

    @Override
    boolean isPresent(long entry) {
      return R.isSet(entry) || W.isSet(entry);
    }

    @Override
    int inputBits(int levels) {
      return PAGE_BITS + levels * INDEX_BITS;
    }
  };

  /// {@return what an entry of a page has beside its address}
  abstract long page(Protection protection);

  /// {@return what an entry has that leads to a table}
  abstract long table();

  abstract boolean isPresent(long entry);

  /// {@return the width of an address}
  abstract int inputBits(int levels);
}
