package dev.doorbell.hw.gicv3;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// What is known of one LPI at a Redistributor. What could not be seen is empty.
///
/// @param hops how it is known
/// @param enabled the configuration byte's Enable bit
/// @param priority the configuration byte's priority
/// @param pending its bit in the pending table; real hardware may hold the truth itself while LPIs are enabled
public record LpiState(
    List<Hop> hops, Optional<Boolean> enabled, OptionalInt priority, Optional<Boolean> pending) {
  public LpiState {
    hops = List.copyOf(hops);
  }
}
