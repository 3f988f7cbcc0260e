package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.PageRequestLayout.*;

import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import java.util.ArrayList;
import java.util.List;

/// The log of page requests as its driver reads it. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.6 Peripheral Page Request (PPR) Logging.
record PageRequestReader(LogReader log, PhysicalMemory memory) {
  /// {@return all that is waiting; a log that was full runs again on return}
  AmdViPageRequests drain() {
    List<PageRequest> requests = new ArrayList<>();
    boolean lost =
        log.drain(at -> requests.add(decode(memory.read64(at), memory.read64(at + Long.BYTES))));
    return new AmdViPageRequests(requests, lost);
  }

  private static PageRequest decode(long w0, long w1) {
    int wants = (READ.isSet(w0) ? Translator.READ : 0) | (WRITE.isSet(w0) ? Translator.WRITE : 0);
    return new PageRequest(
        DEVICE.getInt(w0),
        GN.isSet(w0) ? (int) PASID.get(w0) : -1,
        ADDRESS.get(w1),
        GROUP.getInt(w0),
        LAST.isSet(w0),
        wants);
  }
}
