package dev.doorbell.hw.vtd;

/// By which tables a unit translates DMA.
public enum VtdTranslation {
  /// Context entries that lead to second-stage tables.
  LEGACY,
  /// Scalable mode, second-stage tables.
  SECOND_STAGE,
  /// Scalable mode, first-stage tables.
  FIRST_STAGE
}
