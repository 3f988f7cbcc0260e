package dev.doorbell.hw.amdvi;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Translations by domain and page, whichever device fetched them. They stay until an invalidation names them or a newer one needs their place.
/// A look-up takes no lock and allocates nothing.
final class PageCache {
  /// One translation.
  ///
  /// @param pasid whose guest tables it is of; {@link #HOST} where no guest tables take part
  /// @param bits base 2 logarithm of its bytes
  /// @param access what all entries on the way allow
  /// @param nested whether it is of guest tables with the host's behind them
  record Page(int domain, int pasid, long base, int bits, long pa, int access, boolean nested) {
    /// Stands for a PASID where the host's tables alone translate.
    static final int HOST = -1;

    long translate(long iova) {
      return pa | iova & (bits >= Long.SIZE ? -1L : (1L << bits) - 1);
    }

    boolean isOf(int wanted, int wantedPasid, long wantedBase, int wantedBits) {
      return domain == wanted && pasid == wantedPasid && base == wantedBase && bits == wantedBits;
    }

    boolean meets(long first, long last) {
      long end = base | (bits >= Long.SIZE ? -1L : (1L << bits) - 1);
      return Long.compareUnsigned(base, last) <= 0 && Long.compareUnsigned(end, first) >= 0;
    }
  }

  private static final int WAYS = 4;

  private final int sets;
  private final AtomicReferenceArray<@Nullable Page> pages;
  // Sizes that were ever inserted, one bit each, so that a look-up tries no others.
  private final AtomicLong sizes = new AtomicLong();
  private volatile long generation;
  private int victim;

  /// @param entries power of two, at least 4
  PageCache(int entries) {
    if (entries < WAYS || Integer.bitCount(entries) != 1) {
      throw new IllegalArgumentException(
          "a cache holds a power of two of entries, at least 4, not " + entries);
    }
    sets = entries / WAYS;
    pages = new AtomicReferenceArray<>(entries);
  }

  /// {@return what {@link #insert} wants from before the walk}
  long generation() {
    return generation;
  }

  /// @param pasid whose guest tables translate, or {@link Page#HOST}
  @Nullable Page find(int domain, int pasid, long iova) {
    for (long left = sizes.get(); left != 0; left &= left - 1) {
      int bits = Long.numberOfTrailingZeros(left);
      long base = base(iova, bits);
      int first = first(domain, pasid, base, bits);
      for (int i = first; i < first + WAYS; i++) {
        Page p = pages.get(i);
        if (p != null && p.isOf(domain, pasid, base, bits)) {
          return p;
        }
      }
    }
    return null;
  }

  /// Adds a translation, or drops it when something was invalidated since its walk began.
  synchronized void insert(Page page, long before) {
    if (generation != before) {
      return;
    }
    sizes.getAndUpdate(old -> old | 1L << page.bits());
    int first = first(page.domain(), page.pasid(), page.base(), page.bits());
    int place = first + (victim++ & (WAYS - 1));
    for (int i = first; i < first + WAYS; i++) {
      Page p = pages.get(i);
      if (p != null && p.isOf(page.domain(), page.pasid(), page.base(), page.bits())) {
        place = i;
        break;
      }
      if (p == null) {
        place = i;
      }
    }
    pages.set(place, page);
  }

  /// Removes a domain's translations of some addresses: of guest tables those of one PASID, of the host's all that rest on them, too, since a
  /// nested translation does not keep the guest physical address that it went by.
  ///
  /// @param pasid whose guest tables' addresses they are, or {@link Page#HOST}
  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forget(int domain, int pasid, long first, long last) {
    generation = generation + 1;
    for (int i = 0; i < pages.length(); i++) {
      Page p = pages.get(i);
      if (p != null
          && p.domain() == domain
          && (p.pasid() == pasid ? p.meets(first, last) : pasid == Page.HOST && p.nested())) {
        pages.set(i, null);
      }
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forgetAll() {
    generation = generation + 1;
    for (int i = 0; i < pages.length(); i++) {
      pages.set(i, null);
    }
  }

  static long base(long iova, int bits) {
    return bits >= Long.SIZE ? 0 : iova & -(1L << bits);
  }

  private int first(int domain, int pasid, long base, int bits) {
    return (Long.hashCode(base >>> bits) + 31 * (domain + 31 * (bits + 31 * pasid)) & sets - 1)
        * WAYS;
  }
}
