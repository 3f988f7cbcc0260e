package dev.doorbell.hw.phb;

import java.util.OptionalInt;
import java.util.OptionalLong;

/// Why a PE is stopped, as its state in memory tells (EEH).
///
/// @param pe its number
/// @param requesterId who did it; empty when it was stopped along with another PE
/// @param address where it went, bits 60:0; empty likewise
/// @param cause the state's fields
public record PeStop(int pe, OptionalInt requesterId, OptionalLong address, String cause) {
  static PeStop of(int pe, PeState state) {
    if (!state.hasCause()) {
      return new PeStop(
          pe, OptionalInt.empty(), OptionalLong.empty(), "stopped along with another PE");
    }
    return new PeStop(
        pe,
        OptionalInt.of(PestLayout.RID.getInt(state.a())),
        OptionalLong.of(PestLayout.FAIL_ADDR.get(state.b())),
        PestLayout.A_LAYOUT.decode(state.a()).stream()
            .filter(d -> d.raw() != 0)
            .map(Object::toString)
            .reduce((x, y) -> x + " " + y)
            .orElse("stopped"));
  }
}
