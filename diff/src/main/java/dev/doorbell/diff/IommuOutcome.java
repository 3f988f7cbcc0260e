package dev.doorbell.diff;

import java.util.List;

/// What became of an access.
///
/// @param landed where in memory; -1 for nowhere
/// @param recorded fault records, and what the IOMMU answered that was asked; empty for neither
/// @param effects interrupts that reached local APICs, and what else of memory changed
record IommuOutcome(long landed, String recorded, List<String> effects) {
  IommuOutcome {
    effects = List.copyOf(effects);
  }

  /// {@return that nothing came of it}
  static IommuOutcome nothing() {
    return new IommuOutcome(-1, "", List.of());
  }

  /// {@return that interrupts arrived}
  static IommuOutcome of(String interrupt) {
    return new IommuOutcome(-1, "", List.of(interrupt));
  }

  IommuOutcome recorded(String other) {
    return new IommuOutcome(landed, other, effects);
  }

  @Override
  public String toString() {
    return "landed %s, recorded '%s', effects %s"
        .formatted(landed < 0 ? "nowhere" : Script.hex(landed), recorded, effects);
  }
}
