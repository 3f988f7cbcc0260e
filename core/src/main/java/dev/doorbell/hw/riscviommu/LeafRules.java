package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.PageWalk.*;
import static dev.doorbell.hw.riscviommu.SvPteLayout.*;

import dev.doorbell.bus.Translator;

/// What leaves of one walk allow, and what they say together. Reused; for one thread at a time.
///
/// **Source**: RISC-V Privileged Architecture 20240411, 12.3.2, 13, 14, 18.5; RISC-V IOMMU Architecture 1.0, 2.1.3 (`GADE`, `SADE`), 2.2.3 (`ENS`, `SUM`), 2.4 (updates of A and D), 2.6.
final class LeafRules {
  private final RiscvIommuFeatures features;

  /// `ta` of the process context whose first stage this is, or 0.
  private long process;

  /// `tc` of the device.
  private long tc;

  /// {@link Translator#READ}, {@link Translator#WRITE} and {@link PageWalk#EXECUTE} as all leaves allow them without a change.
  int rights;

  /// Base 2 logarithm of the range that is translated alike.
  int coverage;

  int memoryType;

  /// Whether the first stage's leaf is every process's.
  boolean global;

  LeafRules(RiscvIommuFeatures features) {
    this.features = features;
  }

  /// Forgets the last walk.
  void begin(DeviceContext c) {
    process = c.process();
    tc = c.tc();
    rights = Translator.READ | Translator.WRITE | EXECUTE;
    coverage = Long.SIZE - 1;
    memoryType = 0;
    global = false;
  }

  /// {@return a leaf with A and D as the access leaves them; 0 where it does not allow the access}
  ///
  /// @param level 0 for pages of 4 KiB
  /// @param access as {@link PageWalk} has it
  /// @param stage which it is of, as {@link PageWalk} has it
  long used(long pte, int level, int access, int stage) {
    int allowed =
        (R.isSet(pte) ? Translator.READ : 0)
            | (W.isSet(pte) ? Translator.WRITE : 0)
            | (X.isSet(pte) ? EXECUTE : 0);
    int asked = access & (Translator.READ | Translator.WRITE | EXECUTE);
    int wanted = (access & PERMISSIVE) == 0 ? asked : 0;
    if (!isFormed(pte, level) || !isFor(pte, access, stage) || (allowed & wanted) != wanted) {
      return 0;
    }
    boolean writes = (asked & allowed & Translator.WRITE) != 0;
    long used = pte | A.mask() | (writes ? D.mask() : 0);
    boolean updates =
        stage == FIRST ? DirectoryLayout.TC_SADE.isSet(tc) : DirectoryLayout.TC_GADE.isSet(tc);
    return used == pte || updates ? used : 0;
  }

  private boolean isFormed(long pte, int level) {
    return V.isSet(pte)
        && (pte & RESERVED) == 0
        && (!N.isSet(pte) || isContiguous(pte, level))
        && !(W.isSet(pte) && !R.isSet(pte))
        && within(PPN.get(pte), level * BITS_PER_LEVEL) == 0
        && PBMT.getInt(pte) != PBMT_RESERVED
        && (PBMT.getInt(pte) == 0 || RiscvIommuRegisters.SVPBMT.isSet(features.capabilities()));
  }

  /// {@return whether an access of its privilege may use a leaf; at the second stage all are of user privilege}
  private boolean isFor(long pte, int access, int stage) {
    if (stage != FIRST || (access & PRIVILEGED) == 0) {
      return U.isSet(pte);
    }
    return !U.isSet(pte) || ProcessLayout.TA_SUM.isSet(process) && (access & EXECUTE) == 0;
  }

  /// Counts a leaf, through which the access itself goes, into what all say together.
  void take(long pte, int level, int stage) {
    // What is clean is not to be written to by way of a cache.
    rights &=
        (R.isSet(pte) ? Translator.READ : 0)
            | (W.isSet(pte) && D.isSet(pte) ? Translator.WRITE : 0)
            | (X.isSet(pte) ? EXECUTE : 0);
    coverage = Math.min(coverage, pageShift(pte, level));
    // A type that the first stage names counts before the second stage's.
    memoryType = memoryType != 0 ? memoryType : PBMT.getInt(pte);
    global |= stage == FIRST && G.isSet(pte);
  }
}
