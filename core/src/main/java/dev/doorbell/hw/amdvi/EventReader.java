package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// The event log as its driver reads it. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 Event Logging.
final class EventReader {
  private static final int LENGTH = 9;
  private static final long BUFFER = (long) EventLayout.BYTES << LENGTH;
  private static final long MASK = BUFFER - 1;

  private final AmdViPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;
  private final ReentrantLock lock = new ReentrantLock();

  private EventReader(AmdViPort port, PhysicalMemory memory, Frames frames) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.base = frames.allocate(BUFFER, BUFFER);
  }

  /// {@return an empty log of 512 records}
  static EventReader create(AmdViPort port, PhysicalMemory memory, Frames frames) {
    return new EventReader(port, memory, frames);
  }

  /// Tells the hardware where the log is, which must be disabled.
  void program() {
    port.write(EVENT_BASE_REG, EVENT_BASE.place(base.value()) | EVENT_LEN.place(LENGTH));
    port.write(EVENT_HEAD_REG, 0);
    port.write(EVENT_TAIL_REG, 0);
  }

  /// {@return all that is waiting; a log that was full runs again on return}
  AmdViEvents drain() {
    lock.lock();
    try {
      List<AmdViEvent> events = new ArrayList<>();
      long tail = POINTER.get(port.read(EVENT_TAIL_REG)) & MASK;
      long at = POINTER.get(port.read(EVENT_HEAD_REG)) & MASK;
      while (at != tail) {
        long record = base.value() + at;
        events.add(AmdViEvent.decode(memory.read64(record), memory.read64(record + Long.BYTES)));
        at = at + EventLayout.BYTES & MASK;
      }
      if (!events.isEmpty()) {
        port.write(EVENT_HEAD_REG, at);
      }
      boolean lost = port.isSet(STATUS_REG, EVENT_OVERFLOW);
      if (lost) {
        restart();
      }
      port.write(STATUS_REG, EVENT_LOG_INT.mask());
      return new AmdViEvents(events, lost);
    } finally {
      lock.unlock();
    }
  }

  /// Gives the memory back. The log must be disabled.
  void free() {
    frames.free(base, BUFFER);
  }

  private void restart() {
    long control = port.read(CONTROL_REG);
    port.write(CONTROL_REG, EVENT_LOG_EN.with(control, 0));
    port.awaitStatus(EVENT_LOG_RUN, false);
    port.write(STATUS_REG, EVENT_OVERFLOW.mask());
    port.write(CONTROL_REG, EVENT_LOG_EN.with(control, 1));
  }
}
