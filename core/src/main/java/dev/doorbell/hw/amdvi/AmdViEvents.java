package dev.doorbell.hw.amdvi;

import java.util.List;

/// What was in the event log.
///
/// @param events in order
/// @param lost whether more came than the log could hold
public record AmdViEvents(List<AmdViEvent> events, boolean lost) {
  public AmdViEvents {
    events = List.copyOf(events);
  }
}
