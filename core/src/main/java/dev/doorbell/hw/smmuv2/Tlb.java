package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.vmsa.Invalidation;
import dev.doorbell.vmsa.TranslationCache;

/// All that a model caches of translation tables: leaves and table pointers, of stage 1 and of stage 2, tagged by ASID and VMID and not by the
/// bank. Only one thread may invalidate at a time.
///
/// A leaf of stage 1 of a nested bank holds both stages' outcome: it stays when stage 2 is invalidated by address, as the architecture allows.
final class Tlb {
  /// The one world: the Non-secure one of EL1 and EL0.
  static final int WORLD = 0;

  private static final int ALL = 1 << WORLD;
  private static final int STEPS_PER_LEAVES = 4;
  private static final Layout L_LEAF = Layout.lsb0("cached translation", 8);
  private static final Layout L_STEP = Layout.lsb0("cached table pointer", 8);

  // spotless:off
  /// Unprivileged read and write, then privileged ones: an access shifted to its place is what it needs.
  static final Field S1_RIGHTS     = L_LEAF.bits   ("stage 1 rights",  3,  0);
  static final Field S2_RIGHTS     = L_LEAF.bits   ("stage 2 rights",  5,  4);
  static final Field LEVEL         = L_LEAF.bits   ("level",           7,  6);
  static final Field OUTPUT        = L_LEAF.address("output",         51, 12);

  static final Field STEP_LEVEL    = L_STEP.bits("level",    1,  0);
  static final Field STEP_GRANULE  = L_STEP.bits("granule",  6,  2);
  static final Field STEP_AP_TABLE = L_STEP.bits("APTable",  8,  7);
  // spotless:on

  static {
    L_LEAF.res0(11, 8).res0(63, 52).seal();
    L_STEP.res0(63, 9).seal();
  }

  final TranslationCache leaves1;
  final TranslationCache tables1;
  final TranslationCache leaves2;
  final TranslationCache tables2;

  /// @param leaves of each stage, a power of two
  Tlb(int leaves) {
    leaves1 = new TranslationCache(leaves);
    leaves2 = new TranslationCache(leaves);
    tables1 = new TranslationCache(leaves / STEPS_PER_LEAVES);
    tables2 = new TranslationCache(leaves / STEPS_PER_LEAVES);
  }

  void dropAll() {
    drop1(Invalidation.all(ALL), false);
    drop2(Invalidation.all(ALL), false);
  }

  /// Both stages of a virtual machine.
  void dropVmid(int vmid) {
    dropStage1(vmid);
    drop2(Invalidation.all(ALL).withVmid(vmid), false);
  }

  /// Stage 1 of a virtual machine.
  void dropStage1(int vmid) {
    drop1(Invalidation.all(ALL).withVmid(vmid), false);
  }

  /// Stage 1 of an address space, but for global entries.
  void dropAsid(int vmid, int asid) {
    drop1(Invalidation.all(ALL).withVmid(vmid).withAsid(asid, false), false);
  }

  /// One address of stage 1.
  ///
  /// @param asid or -1 for any
  void dropVa(int vmid, int asid, AddressRange page, boolean leafOnly) {
    Invalidation what = Invalidation.all(ALL).withVmid(vmid).within(page);
    drop1(asid < 0 ? what : what.withAsid(asid, true), leafOnly);
  }

  /// One address of stage 2.
  void dropIpa(int vmid, AddressRange page, boolean leafOnly) {
    drop2(Invalidation.all(ALL).withVmid(vmid).withAsid(0, true).within(page), leafOnly);
  }

  // A dropped walk may have seen an old table, so table pointers take the new generation even when
  // they stay.
  private void drop1(Invalidation what, boolean leafOnly) {
    leaves1.invalidate(what);
    tables1.invalidate(leafOnly ? Invalidation.all(0) : what);
  }

  private void drop2(Invalidation what, boolean leafOnly) {
    leaves2.invalidate(what);
    tables2.invalidate(leafOnly ? Invalidation.all(0) : what);
  }
}
