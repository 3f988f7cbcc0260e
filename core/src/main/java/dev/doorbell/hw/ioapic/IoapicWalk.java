package dev.doorbell.hw.ioapic;

import dev.doorbell.explain.Hop;
import java.util.Optional;

/// What an I/O APIC makes of a pin's line.
///
/// @param message what it writes; empty when its entry cannot be seen
/// @param masked whether the pin is held back
public record IoapicWalk(Hop hop, Optional<Message> message, boolean masked) {
  /// A write to the interrupt address range.
  public record Message(long address, int data) {}
}
