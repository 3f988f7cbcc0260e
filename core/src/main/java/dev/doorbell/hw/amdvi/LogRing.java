package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;

/// A log of a model: a ring in memory that the IOMMU fills and software empties. A full one, or one whose memory does not answer, stops with its overflow
/// bit in Status. Allocates nothing. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.5 to 2.7, 3.4.16 to 3.4.22.
final class LogRing {
  private final Log log;
  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final OwnInterrupt interrupt;

  LogRing(Log log, RegisterFile registers, PhysicalMemory memory, OwnInterrupt interrupt) {
    this.log = log;
    this.registers = registers;
    this.memory = memory;
    this.interrupt = interrupt;
  }

  /// Logs a record, which is lost when the log does not run.
  ///
  /// @param word1 of records of 16 bytes; 0 of others
  synchronized void append(long word0, long word1) {
    if (!registers.isSet(STATUS_REG, log.running())) {
      return;
    }
    long base = registers.get(log.base());
    long bytes = Log.bytes(base);
    long tail = registers.get(log.tail()) & bytes - 1;
    long next = tail + log.bytes() & bytes - 1;
    if (next == (registers.get(log.head()) & bytes - 1)) {
      stop();
      return;
    }
    try {
      if (log.bytes() > Long.BYTES) {
        memory.write64(Log.address(base) + tail + Long.BYTES, word1);
      }
      memory.write64(Log.address(base) + tail, word0);
      shadow(next);
    } catch (BusException _) {
      stop();
      return;
    }
    memory.publish();
    registers.set(log.tail(), next);
    registers.status(log.interrupt().mask(), 0);
    tell();
  }

  /// The log of guests' interrupts has its tail in memory, too, where software gave an address.
  private void shadow(long next) {
    long at = log == Log.GUESTS ? GA_TAIL_ADDR.get(registers.get(GA_TAIL_ADDR_REG)) : 0;
    if (at != 0) {
      memory.write64(at, next);
    }
  }

  private void stop() {
    registers.status(log.overflow().mask(), log.running().mask());
    tell();
  }

  private void tell() {
    if (registers.isSet(CONTROL_REG, log.interrupts())) {
      interrupt.raise();
    }
  }
}
