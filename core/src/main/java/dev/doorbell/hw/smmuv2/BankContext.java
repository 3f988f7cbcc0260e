package dev.doorbell.hw.smmuv2;

import dev.doorbell.vmsa.Regime;

/// A context bank as its registers say it. Immutable.
///
/// @param number of the bank
/// @param type SMMU_CBARn.TYPE
/// @param stage2Bank of a nested bank, the one of stage 2
/// @param enabled SCTLR.M: whether the bank's own stage translates
/// @param format as SMMU_CBn_FSR.FORMAT has it
/// @param asid tag of translations of stage 1
/// @param vmid tag of translations of both stages
/// @param low tables of TTBR0
/// @param high tables of TTBR1
/// @param flagFaultDisabled SCTLR.AFFD
record BankContext(
    int number,
    int type,
    int stage2Bank,
    boolean enabled,
    int format,
    int asid,
    int vmid,
    Regime low,
    Regime high,
    boolean flagFaultDisabled) {
  static final int FORMAT_AARCH32_LONG = 1;
  static final int FORMAT_AARCH64 = 2;

  boolean isStage2() {
    return type == Gr1Registers.TYPE_S2;
  }
}
