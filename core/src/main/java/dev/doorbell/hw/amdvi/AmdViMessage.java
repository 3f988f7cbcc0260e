package dev.doorbell.hw.amdvi;

import dev.doorbell.explain.Hop;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Optional;

/// The way of one interrupt message through an AMD IOMMU.
///
/// @param hops every register and entry on the way, in order
/// @param interrupt what reaches the local APICs; empty when the message ends inside, or goes to a guest's
/// @param guest of a message that goes to a guest's virtual APIC, which
/// @param stoppedAt of a message that ends inside, why; empty otherwise
public record AmdViMessage(
    List<Hop> hops,
    Optional<X86Interrupt> interrupt,
    Optional<Guest> guest,
    Optional<String> stoppedAt) {
  /// A guest's interrupt.
  ///
  /// @param backingPage physical address of the virtual APIC's backing page
  /// @param vector the guest's vector
  public record Guest(long backingPage, int vector) {}

  public AmdViMessage {
    hops = List.copyOf(hops);
  }
}
