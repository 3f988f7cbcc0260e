package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Sizes;
import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.VtdRegisters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Scenarios for a unit in legacy mode. A change of a table is mostly followed by an invalidation that covers it, chosen among those that do, and
/// sometimes by none, or by one of something else.
final class VtdGenerator {
  private static final int[] INDEXES = {0, 1, 2, 511};
  private static final int SHARED = 4;
  private static final long GLOBAL = (long) VtdRegisters.GLOBAL << 4;
  private static final long BY_DOMAIN = (long) VtdRegisters.DOMAIN << 4;
  private static final long SELECTIVE = (long) VtdRegisters.SELECTIVE << 4;

  /// Percent of changes that are followed by an invalidation that covers them.
  static final int COVERED = 80;

  private static final int MOST_MASK = 18;
  private static final long GIANT = Sizes.GIB;

  private final PcDraft draft;
  private final Dice dice;
  private final VtdQueueDraft queue;
  private final VtdInterruptDraft interrupts;
  private final VtdUnitDraft unit;
  private final Map<Integer, Long> domains = new HashMap<>();

  /// @param recordsInterrupts whether the other machine tells of faults of interrupts, too
  VtdGenerator(long seed, boolean recordsInterrupts) {
    draft = new PcDraft(seed, VtdIommu.UNIT);
    dice = draft.dice;
    queue = new VtdQueueDraft(draft, false);
    interrupts = new VtdInterruptDraft(draft, queue, false);
    boolean events = recordsInterrupts && dice.percent(30);
    unit = new VtdUnitDraft(draft, queue, VtdUnitDraft.Mode.LEGACY, events);
  }

  List<Step> generate(int steps) {
    setUp();
    for (int i = 0; i < steps; i++) {
      int kind = dice.below(100);
      if (kind < 2) {
        root();
      } else if (kind < 10) {
        context(true);
      } else if (kind < 26) {
        page(true);
      } else if (kind < 38) {
        interrupts.entry(true);
      } else if (kind < 66) {
        write();
      } else if (kind < 92) {
        interrupts.message();
      } else if (kind < 96) {
        queue.broken();
      } else {
        unit.step(interrupts::message);
      }
    }
    return draft.steps();
  }

  private void setUp() {
    draft.clear();
    draft.store(VtdIommu.ROOT, CTP.place(VtdIommu.CONTEXT) | ROOT_P.mask(), 0L);
    for (int i = 0; i < VtdIommu.TABLE_COUNT * 5; i++) {
      page(false);
    }
    for (int requester : Pc.REQUESTERS) {
      context(requester);
    }
    for (int i = 0; i < 8; i++) {
      interrupts.entry(false);
    }
    unit.start();
    queue.invalidate(InvalidationLayout.CONTEXT_CACHE | GLOBAL, 0);
    queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
    queue.invalidate(InvalidationLayout.INTERRUPT_ENTRY_CACHE, 0);
  }

  /// The root entry goes, leads nowhere, has a reserved bit, and comes back.
  private void root() {
    long entry = CTP.place(VtdIommu.CONTEXT) | ROOT_P.mask();
    draft.store(
        VtdIommu.ROOT,
        switch (dice.below(3)) {
          case 0 -> 0L;
          case 1 -> CTP.place(Pc.NOWHERE) | ROOT_P.mask();
          default -> entry | 1L << dice.from(1, 11);
        },
        0L);
    all();
    write();
    draft.store(VtdIommu.ROOT, entry, 0L);
    all();
  }

  private void all() {
    queue.invalidate(InvalidationLayout.CONTEXT_CACHE | GLOBAL, 0);
    queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
  }

  private void context(boolean later) {
    int requester = dice.of(Pc.REQUESTERS);
    long before = domains.getOrDefault(requester, 0L);
    boolean plain = context(requester);
    if (!later || !dice.percent(COVERED)) {
      return;
    }
    // Entries that were there without a domain may be kept under another one.
    int how = before == 0 || !plain ? 0 : dice.below(3);
    queue.invalidate(
        InvalidationLayout.CONTEXT_CACHE
            | switch (how) {
              case 0 -> GLOBAL;
              case 1 -> BY_DOMAIN | InvalidationLayout.CC_DID.place(before);
              default ->
                  SELECTIVE
                      | InvalidationLayout.CC_DID.place(before)
                      | InvalidationLayout.CC_SID.place(requester);
            },
        0);
    if (dice.percent(70)) {
      queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
    } else {
      queue.invalidate(
          InvalidationLayout.IOTLB
              | BY_DOMAIN
              | InvalidationLayout.IOTLB_DID.place(domains.getOrDefault(requester, 0L)),
          0);
    }
  }

  /// {@return whether the entry has its domain where an entry has it}
  private boolean context(int requester) {
    // One domain id for two sets of tables is a software error whose outcome nobody promises.
    int levels = dice.from(3, 4);
    int table = dice.below(VtdIommu.TABLE_COUNT);
    long domain = 1L + table + (levels == 3 ? 0 : VtdIommu.TABLE_COUNT);
    long low = P.mask() | SSPTPTR.place(Pc.TABLES + (long) table * Pc.PAGE);
    long high = AW.place(levels - 2L) | DID.place(domain);
    switch (dice.below(18)) {
      case 0 -> low &= ~P.mask();
      case 1, 2 -> {
        low |= TT.place(TT_PASS_THROUGH);
        high = DID.with(high, 2L * VtdIommu.TABLE_COUNT + 1 + Pc.REQUESTERS.indexOf(requester));
      }
      case 3 -> low |= TT.place(dice.of(1, 3));
      case 4 -> high = AW.with(high, dice.of(0, 3, 4, 5, 6, 7));
      case 5 -> low |= 1L << dice.from(4, 11);
      case 6 -> high |= 1L << dice.of(7, 24, 40, 63);
      case 7 -> low |= FPD.mask();
      case 8 -> low = low & ~P.mask() | FPD.mask();
      case 9 -> {
        low = SSPTPTR.with(low, Pc.NOWHERE);
        high = DID.with(high, 2L * VtdIommu.TABLE_COUNT + 8);
      }
      default -> {}
    }
    draft.store(VtdIommu.CONTEXT + (long) requester * CONTEXT_BYTES, low, high);
    domains.put(requester, DID.get(high));
    return (low & P.mask()) != 0 && high == (AW.mask() & high | DID.mask() & high);
  }

  private void page(boolean later) {
    long slot =
        Pc.TABLES
            + (long) dice.below(VtdIommu.TABLE_COUNT) * Pc.PAGE
            + (long) dice.of(INDEXES) * PagingLayout.BYTES;
    draft.store(slot, entry());
    if (!later || !dice.percent(COVERED)) {
      return;
    }
    if (dice.percent(60)) {
      queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
      return;
    }
    // What one requester's domain keeps is dropped; others may go on with what was.
    int requester = dice.of(Pc.REQUESTERS);
    long domain = domains.getOrDefault(requester, 1L);
    long address = address();
    if (dice.percent(50)) {
      queue.invalidate(
          InvalidationLayout.IOTLB | BY_DOMAIN | InvalidationLayout.IOTLB_DID.place(domain), 0);
    } else {
      int mask = dice.of(0, 9, MOST_MASK);
      queue.invalidate(
          InvalidationLayout.IOTLB | SELECTIVE | InvalidationLayout.IOTLB_DID.place(domain),
          address & -((long) Pc.PAGE << mask) | mask);
    }
    draft.write(requester, address);
  }

  private long entry() {
    long entry = dice.percent(88) ? 3 : dice.below(4);
    int shape = dice.below(100);
    if (shape < 35) {
      entry |= draft.target();
    } else if (shape < 55) {
      entry |= PagingLayout.PS.mask() | Pc.TARGETS + 2 * Sizes.MIB * dice.below(2);
      // A page of 1 GiB has to begin at one, where nothing of a scenario lies.
      entry = dice.percent(20) ? PagingLayout.PS.mask() | 3 | GIANT * dice.of(0, 2) : entry;
    } else {
      entry |= Pc.TABLES + (long) dice.below(VtdIommu.TABLE_COUNT) * Pc.PAGE;
    }
    return dice.percent(5) ? entry | 1L << dice.of(9, 10, 11, 39, 52, 61, 62, 63) : entry;
  }

  private long address() {
    long out = draft.address(SHARED, INDEXES);
    // Most contexts have three or four levels; what is beyond either is asked for, too.
    out &= dice.percent(55) ? 512 * Sizes.GIB - 1 : -1L;
    return dice.percent(4) ? out | 1L << dice.of(39, 40, 47, 48, 52, 62, 63) : out;
  }

  private void write() {
    int requester = dice.of(Pc.REQUESTERS);
    draft.write(requester, dice.percent(8) ? draft.target() + 4L * dice.below(1024) : address());
  }
}
