package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;
import static dev.doorbell.hw.amdvi.HostTables.shift;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.PageCache.Page;
import org.jspecify.annotations.Nullable;

/// Guest CR3 tables and guest page tables (v2) as a model walks them: of four or five levels as the processor's long mode has them, alone or with
/// the host's tables behind them. Every access is a user's.
///
/// Guest CR3 tables lie at system physical addresses; what they and guest page tables lead to lies at guest physical ones, which the host's tables
/// translate where the device table entry has such. A fault there tells the guest physical address, with GN=0.
///
/// **Source** 48882 revision 3.09, 2.2.6 (guest page tables), 2.2.7 (nested).
final class GuestTables {
  private static final long ROOT_RESERVED = GuestPageLayout.ROOT.mask(BitKind.RES0);
  private static final int INDEX_MASK = (1 << IoPageLayout.INDEX_BITS) - 1;

  /// Levels whose entries can be pages.
  private static final int LAST_PAGE_LEVEL = 3;

  /// Where the host's tables let all pass, they do it as one page.
  private static final Page PASSING =
      new Page(0, Page.HOST, 0, Long.SIZE, 0, AccessBits.of(true, true), false);

  private final PhysicalMemory memory;
  private final PageCache pages;
  private final HostTables host;
  private final AccessFaults faults;

  GuestTables(PhysicalMemory memory, PageCache pages, HostTables host, AccessFaults faults) {
    this.memory = memory;
    this.pages = pages;
    this.host = host;
    this.faults = faults;
  }

  /// One access under way.
  private static final class Request {
    private final DeviceEntry e;
    private final int device;
    private final int pasid;
    private final long address;
    private final int access;

    /// Whether software changed an entry between its reading and its marking: what was found stands for this access alone.
    private boolean overtaken;

    Request(DeviceEntry e, int device, int pasid, long address, int access) {
      this.e = e;
      this.device = device;
      this.pasid = pasid;
      this.address = address;
      this.access = access;
    }

    boolean writes() {
      return (access & Translator.WRITE) != 0;
    }
  }

  /// {@return the page that an address lies in; null when the access ends here, which has been logged}
  ///
  /// @param e an entry with guest tables
  /// @param pasid 20 bits
  @Nullable Page find(DeviceEntry e, int device, int pasid, long address, int access) {
    Page known = pages.find(e.domain, pasid, address);
    return known != null && (access & ~known.access()) == 0
        ? known
        : walk(new Request(e, device, pasid, address, access));
  }

  private @Nullable Page walk(Request r) {
    long before = pages.generation();
    int levels = r.e.guestLevels;
    int unused = Long.SIZE - shift(levels + 1);
    if (r.pasid >>> (r.e.pasidLevels + 1) * IoPageLayout.INDEX_BITS != 0
        || r.address << unused >> unused != r.address) {
      return fault(r, 0);
    }
    long table = r.e.gcr3;
    for (int level = r.e.pasidLevels; level >= 0; level--) {
      int index = r.pasid >>> level * IoPageLayout.INDEX_BITS & INDEX_MASK;
      long word;
      try {
        word = memory.read64(table + (long) index * GuestPageLayout.BYTES);
      } catch (BusException _) {
        return unreadable(r, table + (long) index * GuestPageLayout.BYTES);
      }
      if (!GuestPageLayout.V.isSet(word)) {
        return fault(r, 0);
      }
      if ((word & ROOT_RESERVED) != 0) {
        return fault(r, PR.mask() | RZ.mask());
      }
      table = GuestPageLayout.CR3.get(word);
    }
    Page page = tables(r, table);
    if (page != null && !r.overtaken) {
      pages.insert(page, before);
    }
    return page;
  }

  private @Nullable Page tables(Request r, long root) {
    long table = root;
    boolean writable = true;
    for (int level = r.e.guestLevels; level > 0; level--) {
      long index = r.address >>> shift(level) & INDEX_MASK;
      Page place = behind(r, table + index * GuestPageLayout.BYTES, Translator.READ);
      if (place == null) {
        return null;
      }
      long at = place.translate(table + index * GuestPageLayout.BYTES);
      boolean leaf;
      long word;
      try {
        word = memory.read64(at);
        long flags = wrong(word, level, r.writes());
        if (flags >= 0) {
          return fault(r, flags);
        }
        leaf = level == 1 || GuestPageLayout.PS.isSet(word);
        writable &= GuestPageLayout.RW.isSet(word);
        if (!mark(r, word, at, table + index * GuestPageLayout.BYTES, leaf)) {
          return null;
        }
      } catch (BusException _) {
        return unreadable(r, at);
      }
      if (leaf) {
        boolean dirty = r.writes() || GuestPageLayout.D.isSet(word);
        return page(r, word, level, AccessBits.of(true, writable && dirty));
      }
      table = GuestPageLayout.ADDRESS.get(word);
    }
    throw new IllegalStateException("the last level is a page's");
  }

  /// {@return the flags of what an entry denies; -1 where it lets the access go on}
  private static long wrong(long word, int level, boolean writes) {
    if (!GuestPageLayout.P.isSet(word)) {
      return 0;
    }
    boolean large = level > 1 && GuestPageLayout.PS.isSet(word);
    // Bit 12 of a large page is PAT.
    long low = large ? (1L << shift(level)) - (2L << IoPageLayout.PAGE_BITS) : 0;
    if (large && (level > LAST_PAGE_LEVEL || (GuestPageLayout.ADDRESS.get(word) & low) != 0)) {
      return PR.mask() | RZ.mask();
    }
    return writes && !GuestPageLayout.RW.isSet(word) || !GuestPageLayout.US.isSet(word)
        ? PR.mask() | PE.mask()
        : -1;
  }

  /// Sets A, and D of a page that is written, where they are not set yet. {@return whether the host's tables allow it}
  private boolean mark(Request r, long word, long at, long guestAddress, boolean leaf) {
    long marks = GuestPageLayout.A.mask() | (leaf && r.writes() ? GuestPageLayout.D.mask() : 0);
    if ((word & marks) == marks) {
      return true;
    }
    if (behind(r, guestAddress, Translator.WRITE) == null) {
      return false;
    }
    long seen = word;
    while (!memory.compareAndSet64(at, seen, seen | marks)) {
      long now = memory.read64(at);
      if (((now ^ word) & ~(GuestPageLayout.A.mask() | GuestPageLayout.D.mask())) != 0) {
        r.overtaken = true;
        return true;
      }
      seen = now;
    }
    return true;
  }

  /// {@return the whole way's page: as large as the smaller of the two, with what both allow}
  private @Nullable Page page(Request r, long word, int level, int allowed) {
    int bits = shift(level);
    long offset = (1L << bits) - 1;
    long guest = GuestPageLayout.ADDRESS.get(word) & ~offset | r.address & offset;
    Page behind = behind(r, guest, r.access);
    if (behind == null) {
      return null;
    }
    int both = Math.min(bits, behind.bits());
    return new Page(
        r.e.domain,
        r.pasid,
        PageCache.base(r.address, both),
        both,
        behind.translate(guest) & -(1L << both),
        allowed & behind.access(),
        behind != PASSING);
  }

  /// {@return where a guest physical address lies; null when the host's tables do not let the access through}
  private @Nullable Page behind(Request r, long address, int access) {
    return r.e.levels == DteLayout.MODE_NONE ? PASSING : host.find(r.e, r.device, address, access);
  }

  private @Nullable Page unreadable(Request r, long at) {
    faults.unreadable(r.e, r.device, r.pasid, at, r.access);
    return null;
  }

  private @Nullable Page fault(Request r, long flags) {
    faults.page(r.e, r.device, r.pasid, r.address, AccessFaults.write(r.access) | flags);
    return null;
  }
}
