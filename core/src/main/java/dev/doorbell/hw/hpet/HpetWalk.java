package dev.doorbell.hw.hpet;

import dev.doorbell.explain.Hop;
import java.util.Optional;

/// What an HPET makes of a timer that runs out.
///
/// @param message what it writes; empty when it writes nothing, or its registers cannot be seen
/// @param masked whether the timer is held back
public record HpetWalk(Hop hop, Optional<Message> message, boolean masked) {
  /// A write to the interrupt address range.
  public record Message(long address, int data) {}
}
