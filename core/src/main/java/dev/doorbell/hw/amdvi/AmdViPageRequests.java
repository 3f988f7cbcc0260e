package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.PageRequest;
import java.util.List;

/// What was in the log of page requests.
///
/// @param requests in order
/// @param lost whether more came than the log could hold: whoever sent them gets no answer
public record AmdViPageRequests(List<PageRequest> requests, boolean lost) {
  public AmdViPageRequests {
    requests = List.copyOf(requests);
  }
}
