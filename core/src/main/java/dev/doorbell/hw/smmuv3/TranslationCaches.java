package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.vmsa.Invalidation;
import dev.doorbell.vmsa.TranslationCache;

/// All that is cached of translation tables: leaves and table pointers, of stage 1 and of stage 2.
///
/// A stage 1 leaf of a nested stream holds both stages' outcome, so it stays when only stage 2 is invalidated by IPA, as
/// the architecture allows. Stage 1 table pointers hold IPAs.
final class TranslationCaches {
  private static final Layout L_LEAF = Layout.lsb0("cached translation", 8);
  private static final Layout L_STEP = Layout.lsb0("cached table pointer", 8);

  // spotless:off
  /// Unprivileged read and write, then privileged ones: an access shifted to its place is what it needs.
  static final Field S1_RIGHTS = L_LEAF.bits   ("stage 1 rights",  3,  0);
  static final Field S2_RIGHTS = L_LEAF.bits   ("stage 2 rights",  5,  4);
  static final Field DEVICE    = L_LEAF.bit    ("device memory",   6);
  /// Not writable, but hardware may make it so (DBM), of each stage.
  static final Field S1_CLEAN  = L_LEAF.bit    ("stage 1 clean",   7);
  static final Field S2_CLEAN  = L_LEAF.bit    ("stage 2 clean",   8);
  static final Field OUTPUT    = L_LEAF.address("output",         51, 12);

  /// The level that the table is of, its granule, and what the tables above took away.
  static final Field STEP_LEVEL    = L_STEP.bits("level",    1,  0);
  static final Field STEP_GRANULE  = L_STEP.bits("granule",  6,  2);
  static final Field STEP_AP_TABLE = L_STEP.bits("APTable",  8,  7);
  // spotless:on

  static {
    L_LEAF.res0(11, 9).res0(63, 52).seal();
    L_STEP.res0(63, 9).seal();
  }

  private static final int STEPS_PER_LEAVES = 4;
  private static final int LEAVES_PER_OUTCOME = 16;

  final TranslationCache leaves1;
  final TranslationCache tables1;
  final TranslationCache leaves2;
  final TranslationCache tables2;

  /// Outcomes that each slot of the gate keeps beside them; see {@link TranslationMemo}.
  final int outcomes;

  private volatile long epoch = 1;

  /// @param leaves of each stage, a power of two
  TranslationCaches(int leaves) {
    leaves1 = new TranslationCache(leaves);
    leaves2 = new TranslationCache(leaves);
    tables1 = new TranslationCache(leaves / STEPS_PER_LEAVES);
    tables2 = new TranslationCache(leaves / STEPS_PER_LEAVES);
    outcomes = Math.max(1, leaves / LEAVES_PER_OUTCOME);
  }

  /// {@return another number after each {@link #forgotten}; never 0}
  long epoch() {
    return epoch;
  }

  /// Tells that something is gone, of these caches or of the configuration's: no access that begins from here on finds it. One caller at a time.
  @SuppressWarnings("NonAtomicVolatileUpdate") // under the model's register lock
  void forgotten() {
    epoch = epoch + 1;
  }

  /// Removes of stage 1 what is named: leaves, and unless `leafOnly` every table pointer on the way to them.
  void invalidate1(Invalidation what, boolean leafOnly) {
    leaves1.invalidate(what);
    // A dropped walk may have seen an old table, so table pointers take the new generation even
    // when they stay.
    tables1.invalidate(leafOnly ? Invalidation.all(0) : what.of(0, 0));
  }

  /// Removes of stage 2 what is named.
  void invalidate2(Invalidation what, boolean leafOnly) {
    leaves2.invalidate(what);
    tables2.invalidate(leafOnly ? Invalidation.all(0) : what.of(0, 0));
  }
}
