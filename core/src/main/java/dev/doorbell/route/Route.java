package dev.doorbell.route;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The path of one MSI write, hop by hop.
///
/// @param hops in order, up to the end or to the one that breaks
/// @param doorbell the address that was written to after translation; as programmed where nothing translates
/// @param delivered whether the write reaches the controller and is known there
/// @param interrupt what it becomes
/// @param stoppedAt the hop that breaks, and why; empty when delivered
/// @param masked whether the function holds the vector back; empty when that cannot be seen
/// @param enabled whether the controller forwards the interrupt; empty when that cannot be seen
public record Route(
    List<Hop> hops,
    OptionalLong doorbell,
    boolean delivered,
    Optional<Interrupt> interrupt,
    Optional<String> stoppedAt,
    Optional<Boolean> masked,
    Optional<Boolean> enabled) {
  /// The interrupt that a message becomes.
  ///
  /// @param intid LPI, SPI, or a CPU's vector on x86
  /// @param cpu processor it is routed to, when that can be seen
  public record Interrupt(String controller, int intid, OptionalInt cpu) {}

  public Route {
    hops = List.copyOf(hops);
  }
}
