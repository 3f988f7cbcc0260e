package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import java.util.Optional;

/// The logs of an IOMMU as its driver has them.
///
/// @param guests of interrupts for guests that do not run; empty where nothing is posted
/// @param requests of pages that devices ask for; empty where they may not
record Logs(EventReader events, Optional<LogReader> guests, Optional<PageRequestReader> requests) {
  static Logs create(
      AmdViPort port, PhysicalMemory memory, Frames frames, boolean posting, boolean requests) {
    try (Rollback rollback = new Rollback()) {
      LogReader events = LogReader.create(Log.EVENTS, port, frames);
      rollback.add(events::free);
      Optional<LogReader> guests =
          posting ? Optional.of(LogReader.create(Log.GUESTS, port, frames)) : Optional.empty();
      guests.ifPresent(g -> rollback.add(g::free));
      Optional<PageRequestReader> pages =
          requests
              ? Optional.of(
                  new PageRequestReader(LogReader.create(Log.PAGE_REQUESTS, port, frames), memory))
              : Optional.empty();
      rollback.commit();
      return new Logs(new EventReader(events, memory), guests, pages);
    }
  }

  /// Tells the hardware where they are, which must be disabled.
  void program() {
    events.log().program();
    guests.ifPresent(LogReader::program);
    requests.ifPresent(r -> r.log().program());
  }

  /// {@return the bits of Control that turn them on}
  long control() {
    long on = AmdViRegisters.EVENT_LOG_EN.mask();
    if (guests.isPresent()) {
      on |= AmdViRegisters.GAM_EN.place(AmdViRegisters.GAM_GUEST) | AmdViRegisters.GA_LOG_EN.mask();
    }
    if (requests.isPresent()) {
      on |= AmdViRegisters.PPR_EN.mask() | AmdViRegisters.PPR_LOG_EN.mask();
    }
    return on;
  }

  /// Gives their memory back. They must be disabled.
  void free() {
    events.log().free();
    guests.ifPresent(LogReader::free);
    requests.ifPresent(r -> r.log().free());
  }
}
