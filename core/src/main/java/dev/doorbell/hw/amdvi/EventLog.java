package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import java.util.concurrent.atomic.AtomicBoolean;

/// A model's event log: a ring in memory that the IOMMU fills and software empties; and the interrupt that tells of it. Allocates nothing.
/// Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 Event Logging, 3.4.16 to 3.4.18.
final class EventLog {
  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final boolean hardwareEvents;
  private final AtomicBoolean interrupt = new AtomicBoolean();

  EventLog(AmdViFeatures features, RegisterFile registers, PhysicalMemory memory) {
    this.registers = registers;
    this.memory = memory;
    hardwareEvents = features.has(HE_SUP);
  }

  /// {@return whether an interrupt is to be sent, once}
  boolean takeInterrupt() {
    return interrupt.getPlain() && interrupt.getAndSet(false);
  }

  void raise() {
    interrupt.set(true);
  }

  /// Logs a record. Lost when the log does not run; a full one stops with Status.EventOverflow.
  synchronized void record(long word0, long word1) {
    if (!registers.isSet(STATUS_REG, EVENT_LOG_RUN)) {
      return;
    }
    long base = registers.get(EVENT_BASE_REG);
    long bytes = (long) EventLayout.BYTES << EVENT_LEN.getInt(base);
    long tail = registers.get(EVENT_TAIL_REG) & bytes - 1;
    long next = tail + EventLayout.BYTES & bytes - 1;
    if (next == (registers.get(EVENT_HEAD_REG) & bytes - 1)) {
      stop();
      return;
    }
    try {
      memory.write64(EVENT_BASE.get(base) + tail + Long.BYTES, word1);
      memory.write64(EVENT_BASE.get(base) + tail, word0);
    } catch (BusException _) {
      stop();
      return;
    }
    memory.publish();
    registers.set(EVENT_TAIL_REG, next);
    if (registers.isSet(CONTROL_REG, EVENT_INT_EN)) {
      registers.status(EVENT_LOG_INT.mask(), 0);
      raise();
    }
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

  private void stop() {
    registers.status(EVENT_OVERFLOW.mask(), EVENT_LOG_RUN.mask());
    if (registers.isSet(CONTROL_REG, EVENT_INT_EN)) {
      raise();
    }
  }
}
