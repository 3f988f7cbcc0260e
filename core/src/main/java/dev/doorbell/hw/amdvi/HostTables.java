package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.amdvi.PageCache.Page;
import org.jspecify.annotations.Nullable;

/// Host page tables (v1) as a model walks them: of one to six levels, which may be skipped, and pages of sizes between those of two levels.
///
/// **Source** 48882 revision 3.09, 2.2.3 (host page tables).
final class HostTables {
  private static final long RESERVED = IoPageLayout.ENTRY.mask(BitKind.RES0);
  private static final int INDEX_MASK = (1 << IoPageLayout.INDEX_BITS) - 1;

  private final PhysicalMemory memory;
  private final PageCache pages;
  private final AccessFaults faults;

  HostTables(PhysicalMemory memory, PageCache pages, AccessFaults faults) {
    this.memory = memory;
    this.pages = pages;
    this.faults = faults;
  }

  /// {@return the page that an address lies in; null when the access ends here, which has been logged}
  ///
  /// @param e an entry with tables
  @Nullable Page find(DeviceEntry e, int device, long address, int access) {
    Page known = pages.find(e.domain, Page.HOST, address);
    return known != null && (access & ~known.access()) == 0
        ? known
        : walk(e, device, address, access);
  }

  /// Each turn goes at least one level down, so that a table that leads to itself ends.
  private @Nullable Page walk(DeviceEntry e, int device, long iova, int access) {
    long before = pages.generation();
    int level = e.levels;
    long table = e.root;
    int allowed = AccessBits.of(true, true);
    int width = shift(level + 1);
    if (width < Long.SIZE && iova >>> width != 0) {
      return fault(e, device, iova, access, 0);
    }
    while (true) {
      long at = table + (iova >>> shift(level) & INDEX_MASK) * IoPageLayout.BYTES;
      long word;
      try {
        word = memory.read64(at);
      } catch (BusException _) {
        faults.unreadable(e, device, Page.HOST, at, access);
        return null;
      }
      if (!IoPageLayout.PR.isSet(word)) {
        return fault(e, device, iova, access, 0);
      }
      if ((word & RESERVED) != 0) {
        return fault(e, device, iova, access, PR.mask() | RZ.mask());
      }
      allowed &= AccessBits.of(IoPageLayout.IR.isSet(word), IoPageLayout.IW.isSet(word));
      if ((access & ~allowed) != 0) {
        return fault(e, device, iova, access, PR.mask() | PE.mask());
      }
      int next = IoPageLayout.NEXT_LEVEL.getInt(word);
      if (next == IoPageLayout.PAGE || next == IoPageLayout.SIZED_PAGE) {
        int bits = next == IoPageLayout.PAGE ? shift(level) : sizedBits(word);
        if (next == IoPageLayout.SIZED_PAGE
            && (bits <= shift(level) || bits >= shift(level + 1) || bits >= Long.SIZE)) {
          return fault(e, device, iova, access, PR.mask());
        }
        long pa = IoPageLayout.ADDRESS.get(word) & -(1L << bits);
        Page page =
            new Page(e.domain, Page.HOST, PageCache.base(iova, bits), bits, pa, allowed, false);
        pages.insert(page, before);
        return page;
      }
      if (next >= level || skips(iova, level, next)) {
        return fault(e, device, iova, access, PR.mask());
      }
      table = IoPageLayout.ADDRESS.get(word);
      level = next;
    }
  }

  private @Nullable Page fault(DeviceEntry e, int device, long address, int access, long flags) {
    faults.page(e, device, Page.HOST, address, AccessFaults.write(access) | flags);
    return null;
  }

  /// {@return whether address bits of a level that is left out are set}
  private static boolean skips(long iova, int level, int next) {
    return (iova >>> shift(next + 1) & (1L << shift(level) - shift(next + 1)) - 1) != 0;
  }

  /// {@return log2 of the bytes that an entry of a level covers, in guest page tables too}
  static int shift(int level) {
    return IoPageLayout.PAGE_BITS + (level - 1) * IoPageLayout.INDEX_BITS;
  }

  private static int sizedBits(long word) {
    return IoPageLayout.PAGE_BITS
        + Long.numberOfTrailingZeros(~(word >>> IoPageLayout.PAGE_BITS))
        + 1;
  }
}
