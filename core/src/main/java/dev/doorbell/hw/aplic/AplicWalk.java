package dev.doorbell.hw.aplic;

import dev.doorbell.explain.Hop;
import java.util.Optional;

/// What an APLIC makes of a source's wire.
///
/// @param message what it writes; empty when it writes nothing, or that cannot be seen
public record AplicWalk(Hop hop, Optional<Message> message) {
  /// A write of an identity into an interrupt file.
  ///
  /// @param hart the domain's number of it
  /// @param guest number of the guest's file, 0 for the supervisor's own
  public record Message(int hart, int guest, int identity) {}
}
