package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/// The event log as its driver reads it. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 Event Logging.
record EventReader(LogReader log, PhysicalMemory memory) {
  /// {@return all that is waiting; a log that was full runs again on return}
  AmdViEvents drain() {
    List<AmdViEvent> events = new ArrayList<>();
    boolean lost =
        log.drain(
            at -> events.add(AmdViEvent.decode(memory.read64(at), memory.read64(at + Long.BYTES))));
    return new AmdViEvents(events, lost);
  }
}
