package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Sizes;
import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.PasidLayout;
import dev.doorbell.hw.vtd.VtdRegisters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Scenarios for a unit in scalable mode. A domain id belongs to one set of tables and one PASID.
final class ScalableGenerator {
  static final int[] INDEXES = {0, 1, 2, 511};

  private static final int SHARED = 4;

  /// Tables of each level, where each has one.
  private static final int OF_A_LEVEL = VtdIommu.TABLE_COUNT / SHARED;

  private static final long GLOBAL = (long) VtdRegisters.GLOBAL << 4;
  private static final int LAST_PASID = 0x1fff;
  private static final int PASSING = ScalableVtd.DOMAINS - 8;
  private static final long GIANT = Sizes.GIB;

  private final PcDraft draft;
  private final Dice dice;
  private final ScalableVtd.Stage stage;

  /// Whether hardware is left to set A and D, so that all that is cached is what tables say.
  private final boolean marking;

  private final VtdQueueDraft queue;
  private final VtdUnitDraft unit;
  private final VtdInterruptDraft interrupts;
  private final Map<Integer, Integer> pasids = new HashMap<>();
  private final Map<Integer, Integer> domains = new HashMap<>();

  ScalableGenerator(long seed, ScalableVtd.Stage stage) {
    draft = new PcDraft(seed, VtdIommu.UNIT);
    dice = draft.dice;
    this.stage = stage;
    marking = stage == ScalableVtd.Stage.FIRST && dice.percent(30);
    queue = new VtdQueueDraft(draft, true);
    unit = new VtdUnitDraft(draft, queue, VtdUnitDraft.Mode.SCALABLE, dice.percent(30));
    interrupts = new VtdInterruptDraft(draft, queue, true);
  }

  List<Step> generate(int steps) {
    setUp();
    for (int i = 0; i < steps; i++) {
      int kind = dice.below(100);
      if (kind < 2) {
        root();
      } else if (kind < 7) {
        context(dice.of(Pc.REQUESTERS));
        cover();
      } else if (kind < 18) {
        pasid(dice.of(Pc.REQUESTERS));
        cover();
      } else if (kind < 36) {
        page(true);
      } else if (kind < 42) {
        interrupts.entry(true);
      } else if (kind < 76) {
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
    draft.store(VtdIommu.ROOT, LCTP.place(VtdIommu.CONTEXT) | LP.mask(), 0L);
    for (int i = 0; i < VtdIommu.TABLE_COUNT * 5; i++) {
      page(false);
    }
    for (int requester : Pc.REQUESTERS) {
      pasids.put(requester, 0);
      plainContext(requester, 0);
      directory(requester, 0);
      pasid(requester);
    }
    for (int i = 0; i < 8; i++) {
      interrupts.entry(false);
    }
    unit.start();
    all();
    queue.invalidate(InvalidationLayout.INTERRUPT_ENTRY_CACHE, 0);
  }

  private void all() {
    queue.invalidate(InvalidationLayout.CONTEXT_CACHE | GLOBAL, 0);
    queue.invalidate(
        InvalidationLayout.PASID_CACHE
            | InvalidationLayout.PC_G.place(InvalidationLayout.PC_GLOBAL),
        0);
    queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
  }

  private void cover() {
    if (marking || dice.percent(VtdGenerator.COVERED)) {
      all();
    }
  }

  /// The root entry goes, leads nowhere, has a reserved bit, and comes back.
  private void root() {
    long entry = LCTP.place(VtdIommu.CONTEXT) | LP.mask();
    draft.store(
        VtdIommu.ROOT,
        switch (dice.below(3)) {
          case 0 -> 0L;
          case 1 -> LCTP.place(Pc.NOWHERE) | LP.mask();
          default -> entry | 1L << dice.from(1, 11);
        },
        0L);
    all();
    write();
    draft.store(VtdIommu.ROOT, entry, 0L);
    all();
  }

  private static long pages(long base, int requester) {
    return base + (long) Pc.REQUESTERS.indexOf(requester) * Pc.PAGE;
  }

  private void plainContext(int requester, int pasid) {
    contextWords(
        requester, P0 | PASIDDIRPTR.place(pages(ScalableVtd.DIRECTORIES, requester)), pasid);
  }

  private static final long P0 = SM_P.mask();

  private void contextWords(int requester, long low, long high) {
    contextWords(requester, low, high, 0, 0);
  }

  private void contextWords(int requester, long low, long high, long third, long fourth) {
    draft.store(
        VtdIommu.CONTEXT + (long) requester * SCALABLE_BYTES, List.of(low, high, third, fourth));
  }

  private void context(int requester) {
    int pasid = dice.of(ScalableVtd.RID_PASIDS);
    long low = P0 | PASIDDIRPTR.place(pages(ScalableVtd.DIRECTORIES, requester));
    long high = RID_PASID.place(pasid);
    long third = 0;
    switch (dice.below(14)) {
      case 0 -> low &= ~SM_P.mask();
      case 1 -> low |= SM_FPD.mask();
      case 2 -> low = low & ~SM_P.mask() | SM_FPD.mask();
      case 3 -> low |= 1L << dice.from(5, 8);
      case 4 -> high |= 1L << dice.of(21, 40, 63);
      case 5 -> third = 1L << dice.below(64);
      case 6 -> low = PASIDDIRPTR.with(low, Pc.NOWHERE);
      case 7 -> high = RID_PASID.with(high, dice.of(64, LAST_PASID, LAST_PASID + 1, 0xf_ffff));
      case 8 -> low = PDTS.with(low, dice.from(1, 7));
      case 9 -> directory(requester, 1 + dice.below(4));
      case 10 -> directory(requester, 0);
      default -> {}
    }
    pasids.put(requester, pasid);
    contextWords(requester, low, high, third, 0);
    pasid(requester);
  }

  /// @param broken 0 for an entry that is right
  private void directory(int requester, int broken) {
    long entry =
        PasidLayout.DIR_P.mask()
            | PasidLayout.SMPTBLPTR.place(pages(ScalableVtd.PASIDS, requester));
    entry =
        switch (broken) {
          case 0 -> entry;
          case 1 -> entry & ~PasidLayout.DIR_P.mask();
          case 2 -> entry | PasidLayout.DIR_FPD.mask();
          case 3 -> marking ? entry : entry | 1L << dice.from(2, 11);
          default -> PasidLayout.SMPTBLPTR.with(entry, Pc.NOWHERE);
        };
    draft.store(pages(ScalableVtd.DIRECTORIES, requester), entry);
  }

  private void pasid(int requester) {
    int pasid = pasids.getOrDefault(requester, 0);
    int table = dice.below(marking ? OF_A_LEVEL : VtdIommu.TABLE_COUNT);
    int levels = stage == ScalableVtd.Stage.FIRST ? 4 : dice.from(3, 4);
    int domain =
        ScalableVtd.RID_PASIDS.indexOf(pasid) * ScalableVtd.DOMAINS
            + 1
            + table
            + (levels == 3 ? VtdIommu.TABLE_COUNT : 0);
    long at = Pc.TABLES + (long) table * Pc.PAGE;
    long[] q = new long[PasidLayout.ENTRY_BYTES / Long.BYTES];
    q[0] = PasidLayout.P.mask();
    q[1] = PasidLayout.DID.place(domain);
    if (stage == ScalableVtd.Stage.FIRST) {
      // QEMU takes the width of canonical addresses from AW, which is the second stage's.
      q[0] |= PasidLayout.PGTT.place(PasidLayout.FIRST_STAGE) | PasidLayout.AW.place(2);
      q[2] = PasidLayout.FSPTPTR.place(at);
    } else {
      q[0] |=
          PasidLayout.PGTT.place(PasidLayout.SECOND_STAGE)
              | PasidLayout.SSPTPTR.place(at)
              | PasidLayout.AW.place(levels - 2L);
    }
    if (spoil(q, requester)) {
      domain = PasidLayout.DID.getInt(q[1]);
    }
    domains.put(requester, domain);
    draft.store(
        pages(ScalableVtd.PASIDS, requester) + (long) pasid * PasidLayout.ENTRY_BYTES,
        java.util.Arrays.stream(q).boxed().toList());
  }

  /// {@return whether the entry has another domain}
  private boolean spoil(long[] q, int requester) {
    int own = PasidLayout.DID.getInt(q[1]) / ScalableVtd.DOMAINS * ScalableVtd.DOMAINS + PASSING;
    switch (dice.below(18)) {
      case 0 -> q[0] &= ~PasidLayout.P.mask();
      case 1, 2 -> {
        q[0] = PasidLayout.PGTT.with(q[0], PasidLayout.PASS_THROUGH);
        q[1] = PasidLayout.DID.place(own + Pc.REQUESTERS.indexOf(requester));
        return true;
      }
      case 3 -> q[0] = PasidLayout.PGTT.with(q[0], dice.of(0, 1, 2, 3, 5, 6, 7));
      case 4 ->
          q[0] =
              stage == ScalableVtd.Stage.FIRST
                  ? q[0]
                  : PasidLayout.AW.with(q[0], dice.of(0, 3, 4, 5, 6, 7));
      // QEMU passes over these, and sets A and D where the model does not get to.
      case 5 -> q[0] |= marking ? 0 : 1L << dice.of(10, 11);
      case 6 -> q[0] |= PasidLayout.FPD.mask();
      case 7 -> q[0] = q[0] & ~PasidLayout.P.mask() | PasidLayout.FPD.mask();
      case 8 -> {
        q[0] = PasidLayout.SSPTPTR.with(q[0], Pc.NOWHERE);
        q[2] = PasidLayout.FSPTPTR.with(q[2], Pc.NOWHERE);
        q[1] = PasidLayout.DID.place(own + Pc.REQUESTERS.size());
        return true;
      }
      case 9 -> q[2] = PasidLayout.FSPM.with(q[2], dice.from(1, 3));
      case 10 -> q[0] &= ~0xfffL & ~PasidLayout.P.mask();
      default -> {}
    }
    return false;
  }

  private void page(boolean later) {
    int table = dice.below(VtdIommu.TABLE_COUNT);
    long slot = Pc.TABLES + (long) table * Pc.PAGE + (long) dice.of(INDEXES) * PagingLayout.BYTES;
    boolean covered = marking || dice.percent(VtdGenerator.COVERED);
    draft.store(slot, stage == ScalableVtd.Stage.FIRST ? first(table) : second());
    if (!later || !covered) {
      return;
    }
    if (marking || dice.percent(60)) {
      queue.invalidate(InvalidationLayout.IOTLB | GLOBAL, 0);
      return;
    }
    int requester = dice.of(Pc.REQUESTERS);
    long address = address();
    forget(requester, address);
    draft.write(requester, address);
  }

  /// What one requester's domain keeps is dropped; others may go on with what was.
  private void forget(int requester, long address) {
    int domain = domains.getOrDefault(requester, 1);
    int mask = dice.of(0, 9, 18);
    long pages = address & -((long) Pc.PAGE << mask) | mask;
    long tag =
        InvalidationLayout.PI_DID.place(domain)
            | InvalidationLayout.PI_PASID_ID.place(pasids.getOrDefault(requester, 0));
    long of = InvalidationLayout.IOTLB_DID.place(domain);
    boolean first = stage == ScalableVtd.Stage.FIRST;
    switch (dice.below(first ? 4 : 2)) {
      case 0 ->
          queue.invalidate(InvalidationLayout.IOTLB | (long) VtdRegisters.DOMAIN << 4 | of, 0);
      case 1 ->
          queue.invalidate(
              InvalidationLayout.IOTLB | (long) VtdRegisters.SELECTIVE << 4 | of, pages);
      case 2 ->
          queue.invalidate(
              InvalidationLayout.PASID_IOTLB
                  | InvalidationLayout.PI_G.place(InvalidationLayout.PI_PASID)
                  | tag,
              0);
      default ->
          queue.invalidate(
              InvalidationLayout.PASID_IOTLB
                  | InvalidationLayout.PI_G.place(InvalidationLayout.PI_PAGES)
                  | tag,
              pages);
    }
  }

  /// {@return a table that an entry may name} Where hardware sets D each table is of one level: QEMU leaves D alone where A is set already.
  private int below(int table) {
    return marking
        ? (table / OF_A_LEVEL + 1) * OF_A_LEVEL + dice.below(OF_A_LEVEL)
        : dice.below(VtdIommu.TABLE_COUNT);
  }

  private long first(int table) {
    long entry = PagingLayout.P.mask() | PagingLayout.RW.mask() | PagingLayout.US.mask();
    entry |= marking && dice.percent(50) ? 0 : PagingLayout.FS_A.mask() | PagingLayout.FS_D.mask();
    entry &= dice.percent(88) ? -1L : ~(long) dice.below(8);
    int shape = dice.below(100);
    boolean last = table >= VtdIommu.TABLE_COUNT - OF_A_LEVEL;
    if (marking && last ? shape < 35 || shape >= 55 : !marking && shape < 35) {
      entry |= draft.target();
    } else if (shape < 55) {
      entry |=
          PagingLayout.FS_PS.mask()
              | (dice.percent(20)
                  ? GIANT * dice.of(0, 2)
                  : Pc.TARGETS + 2 * Sizes.MIB * dice.below(2));
    } else {
      entry |= Pc.TABLES + (long) below(table) * Pc.PAGE;
    }
    return dice.percent(5) ? entry | 1L << dice.of(3, 4, 8, 9, 11, 52, 62, 63) : entry;
  }

  private long second() {
    long entry = dice.percent(88) ? 3 : dice.below(4);
    int shape = dice.below(100);
    if (shape < 35) {
      entry |= draft.target();
    } else if (shape < 55) {
      entry |=
          PagingLayout.PS.mask()
              | (dice.percent(20)
                  ? GIANT * dice.of(0, 2)
                  : Pc.TARGETS + 2 * Sizes.MIB * dice.below(2));
    } else {
      entry |= Pc.TABLES + (long) dice.below(VtdIommu.TABLE_COUNT) * Pc.PAGE;
    }
    return dice.percent(5) ? entry | 1L << dice.of(9, 10, 11, 52, 61, 62, 63) : entry;
  }

  private long address() {
    long out = draft.address(SHARED, INDEXES);
    if (stage == ScalableVtd.Stage.FIRST) {
      // The upper half of canonical addresses has ones above.
      long sign = 1L << PagingLayout.PAGE_BITS + SHARED * PagingLayout.INDEX_BITS - 1;
      out |= (out & sign) != 0 ? -sign : 0;
    } else {
      out &= dice.percent(55) ? 512 * Sizes.GIB - 1 : -1L;
    }
    return dice.percent(4) ? out ^ 1L << dice.of(39, 40, 47, 48, 52, 62, 63) : out;
  }

  private void write() {
    int requester = dice.of(Pc.REQUESTERS);
    draft.write(requester, dice.percent(8) ? draft.target() + 4L * dice.below(1024) : address());
  }
}
