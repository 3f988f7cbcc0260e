package dev.doorbell.linux;

import dev.doorbell.explain.Hop;

/// One stop of a message on its way through the running host, and whether anything moved there while it was watched.
public record LiveHop(Hop hop, Movement movement) {
  /// What was seen of movement.
  public enum Movement {
    /// A message got past this stop.
    MOVED,
    /// A message does not get past it, or none came as far.
    STILL,
    /// This host shows nothing that would tell.
    UNSEEN
  }
}
