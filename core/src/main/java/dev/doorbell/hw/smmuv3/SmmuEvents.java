package dev.doorbell.hw.smmuv3;

import java.util.List;

/// What was waiting in the event queue.
///
/// @param events oldest first
/// @param lost whether records were lost because the queue was full
/// @param globalErrors names of errors that SMMU_GERROR told and that were acknowledged
public record SmmuEvents(List<SmmuEvent> events, boolean lost, List<String> globalErrors) {
  public SmmuEvents {
    events = List.copyOf(events);
    globalErrors = List.copyOf(globalErrors);
  }
}
