package dev.doorbell.diff;

import java.util.List;

/// What became of a device's write.
///
/// @param landed where in memory; -1 for nowhere
/// @param recorded the fault record; empty for none
/// @param interrupts that reached local APICs
record PcOutcome(long landed, String recorded, List<String> interrupts) {
  PcOutcome {
    interrupts = List.copyOf(interrupts);
  }

  /// {@return that nothing came of it}
  static PcOutcome nothing() {
    return new PcOutcome(-1, "", List.of());
  }

  /// {@return that interrupts arrived}
  static PcOutcome of(String interrupt) {
    return new PcOutcome(-1, "", List.of(interrupt));
  }

  PcOutcome recorded(String other) {
    return new PcOutcome(landed, other, interrupts);
  }

  @Override
  public String toString() {
    return "landed %s, recorded '%s', interrupts %s"
        .formatted(landed < 0 ? "nowhere" : Script.hex(landed), recorded, interrupts);
  }
}
