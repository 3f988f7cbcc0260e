package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PasidLayout.*;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// What a unit in scalable mode keeps of context entries and PASID table entries. Only what is present is kept. Looking up allocates nothing and
/// takes no lock.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 6.2.1 (tagging), 6.2.3 (PASID cache).
final class PasidCaches {
  /// A context entry.
  ///
  /// @param directoryBits of a PASID that index the directory
  /// @param ridPasid of requests without a PASID
  /// @param privileged whether these are the supervisor's
  record Context(
      long directory,
      int directoryBits,
      int ridPasid,
      boolean pasidEnabled,
      boolean privileged,
      boolean silent) {}

  /// A PASID table entry, with what leads to it.
  ///
  /// @param type PGTT
  /// @param q the first three quadwords
  record Entry(int sourceId, int pasid, int type, Words q, boolean silent) {
    static Entry of(int sourceId, int pasid, long[] q, boolean silent) {
      return new Entry(sourceId, pasid, PGTT.getInt(q[0]), new Words(q[0], q[1], q[2]), silent);
    }

    int domain() {
      return DID.getInt(q.second);
    }

    /// {@return what pages are kept under beside the domain}
    int tag() {
      return switch (type) {
        case FIRST_STAGE -> UnitCaches.Page.first(pasid);
        case NESTED -> UnitCaches.Page.nested(pasid);
        default -> UnitCaches.Page.SECOND;
      };
    }

    boolean isNested() {
      return type == NESTED;
    }

    boolean hasFirst() {
      return type == FIRST_STAGE || type == NESTED;
    }

    boolean hasSecond() {
      return type == SECOND_STAGE || type == NESTED;
    }

    long first() {
      return FSPTPTR.get(q.third);
    }

    int firstLevels() {
      return FSPM.getInt(q.third) + FEWEST_FIRST_STAGE_LEVELS;
    }

    long second() {
      return SSPTPTR.get(q.low);
    }

    int secondLevels() {
      return AW.getInt(q.low) + VtdRegisters.SAGAW_FEWEST_LEVELS;
    }

    /// {@return whether accesses set A and D of the second stage}
    boolean marksSecond() {
      return SSADE.isSet(q.low);
    }

    boolean supervisor() {
      return SRE.isSet(q.third);
    }

    boolean protectsFromSupervisor() {
      return WPE.isSet(q.third);
    }
  }

  /// Quadwords of an entry.
  record Words(long low, long second, long third) {}

  private static final int SOURCES = 0x10000;
  private static final int ENTRIES = 0x1000;
  private static final int SPREAD = 0x9e35;

  private final AtomicReferenceArray<@Nullable Context> contexts =
      new AtomicReferenceArray<>(SOURCES);
  private final AtomicReferenceArray<@Nullable Entry> entries = new AtomicReferenceArray<>(ENTRIES);

  @Nullable Context context(int sourceId) {
    return contexts.get(sourceId);
  }

  void keep(int sourceId, Context context) {
    contexts.set(sourceId, context);
  }

  @Nullable Entry entry(int sourceId, int pasid) {
    Entry e = entries.get(place(sourceId, pasid));
    return e != null && e.sourceId == sourceId && e.pasid == pasid ? e : null;
  }

  void keep(Entry entry) {
    entries.set(place(entry.sourceId, entry.pasid), entry);
  }

  private static int place(int sourceId, int pasid) {
    int mixed = (pasid * SPREAD + sourceId) * SPREAD;
    return (mixed ^ mixed >>> 13) & ENTRIES - 1;
  }

  /// Drops contexts of some functions; of all when the mask has all bits.
  ///
  /// @param mask bits of the source-id that are not compared
  void dropContexts(int sourceId, int mask) {
    for (int low = 0; low <= mask; low++) {
      contexts.set(sourceId & ~mask | low & mask, null);
    }
  }

  /// Drops PASID table entries.
  ///
  /// @param domain below 0 for all
  /// @param pasid below 0 for all of the domain
  void dropEntries(int domain, int pasid) {
    for (int i = 0; i < ENTRIES; i++) {
      Entry e = entries.get(i);
      if (e != null && (domain < 0 || e.domain() == domain) && (pasid < 0 || e.pasid == pasid)) {
        entries.set(i, null);
      }
    }
  }
}
