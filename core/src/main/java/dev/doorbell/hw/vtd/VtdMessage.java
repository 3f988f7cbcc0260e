package dev.doorbell.hw.vtd;

import dev.doorbell.explain.Hop;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Optional;

/// The way of one interrupt message through a remapping unit.
///
/// @param hops every register and entry on the way, in order
/// @param interrupt what reaches the local APICs; empty when the message ends inside, or is posted
/// @param posted of a posted interrupt, where it goes
/// @param stoppedAt of a message that ends inside, why; empty otherwise
public record VtdMessage(
    List<Hop> hops,
    Optional<X86Interrupt> interrupt,
    Optional<Posted> posted,
    Optional<String> stoppedAt) {
  /// A posted interrupt.
  ///
  /// @param interrupt the guest's vector, and the descriptor that keeps it
  /// @param notification what a processor of the host is told by; empty when none is told now
  public record Posted(PostedInterrupt interrupt, Optional<X86Interrupt> notification) {}

  public VtdMessage {
    hops = List.copyOf(hops);
  }
}
