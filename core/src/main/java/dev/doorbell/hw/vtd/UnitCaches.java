package dev.doorbell.hw.vtd;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// What a unit keeps of tables until it is told to drop it: contexts by source-id, pages by domain, interrupt entries by index. Only what is
/// present is kept. Looking up allocates nothing and takes no lock.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 6.2 (address translation caches), 6.2.4 (interrupt entry cache).
final class UnitCaches {
  /// A context entry.
  ///
  /// @param levels of its tables; 0 where addresses pass
  record Context(int domain, long root, int levels, boolean silent) {}

  /// A page of a domain.
  ///
  /// @param tag what it was made by: {@link #SECOND}, or {@link #first} or {@link #nested} of a PASID
  /// @param page the address without the bits within
  /// @param shift bits within
  record Page(
      int domain, int tag, long page, int shift, long output, boolean read, boolean writable) {
    /// Of the second stage alone, whoever asks.
    static final int SECOND = -1;

    /// {@return the tag of pages of a PASID's first stage}
    static int first(int pasid) {
      return pasid << 1;
    }

    /// {@return the tag of pages of a PASID's first stage by the second}
    static int nested(int pasid) {
      return pasid << 1 | 1;
    }

    boolean isNested() {
      return tag >= 0 && (tag & 1) != 0;
    }

    boolean is(int pasid) {
      return tag >= 0 && tag >> 1 == pasid;
    }
  }

  /// An interrupt remapping table entry.
  record Entry(long low, long high) {}

  private static final int SOURCES = 0x10000;
  private static final int ENTRIES = 0x10000;
  private static final int PAGES = 0x2000;
  private static final int SPREAD = 0x9e35;
  private static final int[] SHIFTS = {12, 21, 30};

  private final AtomicReferenceArray<@Nullable Context> contexts =
      new AtomicReferenceArray<>(SOURCES);
  private final AtomicReferenceArray<@Nullable Page> pages = new AtomicReferenceArray<>(PAGES);
  private final PasidCaches pasids = new PasidCaches();
  private final AtomicReferenceArray<@Nullable Entry> entries = new AtomicReferenceArray<>(ENTRIES);

  @Nullable Context context(int sourceId) {
    return contexts.get(sourceId);
  }

  void keep(int sourceId, Context context) {
    contexts.set(sourceId, context);
  }

  /// {@return what is kept of scalable mode}
  PasidCaches pasids() {
    return pasids;
  }

  @Nullable Page page(int domain, int tag, long address) {
    for (int shift : SHIFTS) {
      Page p = pages.get(place(domain, tag, address >>> shift, shift));
      if (p != null
          && p.domain == domain
          && p.tag == tag
          && p.shift == shift
          && p.page == address >>> shift) {
        return p;
      }
    }
    return null;
  }

  void keep(Page page) {
    pages.set(place(page.domain, page.tag, page.page, page.shift), page);
  }

  private static int place(int domain, int tag, long page, int shift) {
    int mixed = Long.hashCode(page * SPREAD + domain * 31L + tag * 17L + shift);
    return (mixed ^ mixed >>> 13) & PAGES - 1;
  }

  @Nullable Entry entry(int index) {
    return entries.get(index);
  }

  void keep(int index, Entry entry) {
    entries.set(index, entry);
  }

  /// Drops contexts of a domain, or of all.
  ///
  /// @param domain below 0 for all
  void dropContexts(int domain) {
    for (int i = 0; i < SOURCES; i++) {
      Context c = contexts.get(i);
      if (c != null && (domain < 0 || c.domain == domain)) {
        contexts.set(i, null);
      }
    }
  }

  /// Drops contexts of some functions.
  ///
  /// @param mask bits of the source-id that are not compared
  void dropContexts(int domain, int sourceId, int mask) {
    for (int low = 0; low <= mask; low++) {
      int at = sourceId & ~mask | low & mask;
      Context c = contexts.get(at);
      if (c != null && c.domain == domain) {
        contexts.set(at, null);
      }
    }
  }

  /// Drops pages of a domain, or of all.
  ///
  /// @param domain below 0 for all
  void dropPages(int domain) {
    for (int i = 0; i < PAGES; i++) {
      Page p = pages.get(i);
      if (p != null && (domain < 0 || p.domain == domain)) {
        pages.set(i, null);
      }
    }
  }

  /// Drops pages of a domain's second stage that meet a naturally aligned run of its addresses, and all that a first stage made (6.5.2.3).
  ///
  /// @param bits that an address within the run may have
  void dropPages(int domain, long address, int bits) {
    for (int i = 0; i < PAGES; i++) {
      Page p = pages.get(i);
      if (p != null && p.domain == domain && (p.tag != Page.SECOND || meets(p, address, bits))) {
        pages.set(i, null);
      }
    }
  }

  /// Drops pages of a PASID's first stage, nested or not.
  void dropPasid(int domain, int pasid) {
    dropPasid(domain, pasid, 0, Long.SIZE);
  }

  /// The same of those that meet a naturally aligned run of addresses.
  void dropPasid(int domain, int pasid, long address, int bits) {
    for (int i = 0; i < PAGES; i++) {
      Page p = pages.get(i);
      if (p != null && p.domain == domain && p.is(pasid) && meets(p, address, bits)) {
        pages.set(i, null);
      }
    }
  }

  private static boolean meets(Page p, long address, int bits) {
    int wider = Math.max(bits, p.shift);
    return wider >= Long.SIZE || address >>> wider == p.page << p.shift >>> wider;
  }

  /// Drops a naturally aligned run of interrupt entries.
  ///
  /// @param count a power of two
  void dropEntries(int index, int count) {
    int first = index & -count;
    for (int i = first; i < first + count && i < ENTRIES; i++) {
      entries.set(i, null);
    }
  }

  void dropEntries() {
    dropEntries(0, ENTRIES);
  }
}
