package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.PhysicalMemory;

/// A model's event log, and the registers that keep the last error of hardware. Allocates nothing. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 Event Logging, 3.4.9 to 3.4.11.
final class EventLog {
  private final RegisterFile registers;
  private final boolean hardwareEvents;
  private final LogRing ring;

  EventLog(
      AmdViFeatures features,
      RegisterFile registers,
      PhysicalMemory memory,
      OwnInterrupt interrupt) {
    this.registers = registers;
    hardwareEvents = features.has(HE_SUP);
    ring = new LogRing(Log.EVENTS, registers, memory, interrupt);
  }

  /// Logs a record. Lost when the log does not run; a full one stops with Status.EventOverflow.
  void record(long word0, long word1) {
    ring.append(word0, word1);
  }

  /// Logs an error of hardware, which registers of their own keep too.
  synchronized void hardwareError(long word0, long word1) {
    if (hardwareEvents) {
      boolean before = registers.isSet(HW_EVENT_REG, HW_EVENT_VALID);
      registers.set(HW_EVENT_HIGH_REG, word0);
      registers.set(HW_EVENT_LOW_REG, word1);
      registers.set(
          HW_EVENT_REG, HW_EVENT_VALID.place(1) | HW_EVENT_OVERFLOW.place(before ? 1 : 0));
    }
    record(word0, word1);
  }
}
