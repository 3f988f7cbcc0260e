package dev.doorbell.vmsa;

/// Which of the two stages a table translates.
public enum Stage {
  /// From IOVA to PA, or to IPA where stage 2 follows.
  STAGE1,
  /// From IPA (or IOVA where there is no stage 1) to PA.
  STAGE2
}
