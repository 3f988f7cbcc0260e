package dev.doorbell.hw.vtd;

import dev.doorbell.explain.Hop;
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
  /// @param descriptor physical address of the posted interrupt descriptor
  /// @param vector the guest's vector, whose bit of the descriptor is set
  /// @param urgent whether the processor is notified whatever the descriptor says
  public record Posted(long descriptor, int vector, boolean urgent) {}

  public VtdMessage {
    hops = List.copyOf(hops);
  }
}
