package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.PageCache.Page;
import org.jspecify.annotations.Nullable;

/// The way of a memory access through a model: device table entry, exclusion range, host page tables, and the record of what went wrong.
///
/// **Source** 48882 revision 3.09, 2.1.3 (access control), 2.2.2 (device table), 2.2.3 (host page tables), 2.5 (events).
final class DmaPath {
  private static final long RESERVED = IoPageLayout.ENTRY.mask(BitKind.RES0);
  private static final int INDEX_MASK = (1 << IoPageLayout.INDEX_BITS) - 1;

  private final AmdViFeatures features;
  private final PhysicalMemory memory;
  private final DeviceEntries devices;
  private final PageCache pages;
  private final EventLog events;

  DmaPath(
      AmdViFeatures features,
      PhysicalMemory memory,
      DeviceEntries devices,
      PageCache pages,
      EventLog events) {
    this.features = features;
    this.memory = memory;
    this.devices = devices;
    this.pages = pages;
    this.events = events;
  }

  /// {@return a device's entry; null when there is none to go by, which has been logged}
  @Nullable DeviceEntry entry(int device, long address, int access, boolean interrupt, Settings s) {
    if (device < 0 || device >= Math.min(s.devices(), DeviceEntries.DEVICES)) {
      events.record(
          EventWords.of(IO_PAGE_FAULT, device & (DeviceEntries.DEVICES - 1), 0)
              | EventWords.flag(I, interrupt)
              | write(access),
          address);
      return null;
    }
    try {
      return devices.find(device, s);
    } catch (BusException _) {
      events.hardwareError(
          EventWords.of(DEV_TAB_HARDWARE_ERROR, device, 0)
              | EventWords.flag(I, interrupt)
              | write(access)
              | EventWords.aborted(),
          DeviceEntries.address(device, s));
      return null;
    }
  }

  /// {@return the physical address, or FAULT}
  long translate(int device, long iova, int access, Settings s) {
    DeviceEntry e = entry(device, iova, access, false, s);
    if (e == null) {
      return Translator.FAULT;
    }
    if (!e.valid) {
      return iova;
    }
    if (e.reserved || e.translates && e.levels > features.levels()) {
      events.record(
          EventWords.of(ILLEGAL_DEV_TABLE_ENTRY, device, 0)
              | write(access)
              | EventWords.flag(RZ, e.reserved),
          iova);
      return Translator.FAULT;
    }
    if (s.excludes(e, iova)) {
      return iova;
    }
    if (!e.translates) {
      return fault(e, device, iova, write(access));
    }
    if ((access & ~e.access) != 0) {
      return fault(e, device, iova, write(access) | PR.mask() | PE.mask());
    }
    if (e.levels == DteLayout.MODE_NONE) {
      return iova;
    }
    Page known = pages.find(e.domain, iova);
    return known != null && (access & ~known.access()) == 0
        ? known.translate(iova)
        : walk(e, device, iova, access);
  }

  /// Each turn goes at least one level down, so that a table that leads to itself ends.
  private long walk(DeviceEntry e, int device, long iova, int access) {
    long before = pages.generation();
    int level = e.levels;
    long table = e.root;
    int allowed = AccessBits.of(true, true);
    int width = shift(level + 1);
    if (width < Long.SIZE && iova >>> width != 0) {
      return fault(e, device, iova, write(access));
    }
    while (true) {
      long at = table + (iova >>> shift(level) & INDEX_MASK) * IoPageLayout.BYTES;
      long word;
      try {
        word = memory.read64(at);
      } catch (BusException _) {
        events.hardwareError(
            EventWords.of(PAGE_TAB_HARDWARE_ERROR, device, e.domain)
                | write(access)
                | EventWords.aborted(),
            at);
        return Translator.FAULT;
      }
      if (!IoPageLayout.PR.isSet(word)) {
        return fault(e, device, iova, write(access));
      }
      if ((word & RESERVED) != 0) {
        return fault(e, device, iova, write(access) | PR.mask() | RZ.mask());
      }
      allowed &= AccessBits.of(IoPageLayout.IR.isSet(word), IoPageLayout.IW.isSet(word));
      if ((access & ~allowed) != 0) {
        return fault(e, device, iova, write(access) | PR.mask() | PE.mask());
      }
      int next = IoPageLayout.NEXT_LEVEL.getInt(word);
      if (next == IoPageLayout.PAGE || next == IoPageLayout.SIZED_PAGE) {
        int bits = next == IoPageLayout.PAGE ? shift(level) : sizedBits(word);
        if (next == IoPageLayout.SIZED_PAGE
            && (bits <= shift(level) || bits >= shift(level + 1) || bits >= Long.SIZE)) {
          return fault(e, device, iova, write(access) | PR.mask());
        }
        long pa = IoPageLayout.ADDRESS.get(word) & -(1L << bits);
        Page page = new Page(e.domain, PageCache.base(iova, bits), bits, pa, allowed);
        pages.insert(page, before);
        return page.translate(iova);
      }
      if (next >= level || skips(iova, level, next)) {
        return fault(e, device, iova, write(access) | PR.mask());
      }
      table = IoPageLayout.ADDRESS.get(word);
      level = next;
    }
  }

  /// {@return whether address bits of a level that is left out are set}
  private static boolean skips(long iova, int level, int next) {
    return (iova >>> shift(next + 1) & (1L << shift(level) - shift(next + 1)) - 1) != 0;
  }

  /// {@return log2 of the bytes that an entry of a level covers}
  private static int shift(int level) {
    return IoPageLayout.PAGE_BITS + (level - 1) * IoPageLayout.INDEX_BITS;
  }

  private static int sizedBits(long word) {
    return IoPageLayout.PAGE_BITS
        + Long.numberOfTrailingZeros(~(word >>> IoPageLayout.PAGE_BITS))
        + 1;
  }

  private static long write(int access) {
    return EventWords.flag(RW, (access & Translator.WRITE) != 0);
  }

  /// With SA=1 nothing is logged, with SE=1 the first fault until the entry is fetched anew.
  private long fault(DeviceEntry e, int device, long iova, long flags) {
    if (!e.silent && !(e.once && e.logged)) {
      e.logged = true;
      events.record(EventWords.of(IO_PAGE_FAULT, device, e.domain) | flags, iova);
    }
    return Translator.FAULT;
  }
}
