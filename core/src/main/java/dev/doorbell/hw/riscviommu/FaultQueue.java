package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;

/// The fault queue and its registers. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.2 and 6.13.
final class FaultQueue extends RecordQueue {
  private final PhysicalMemory memory;

  FaultQueue(PhysicalMemory memory) {
    super(RiscvIommuRegisters.FQB, RiscvIommuRegisters.FQCSR, FaultLayout.BYTES);
    this.memory = memory;
  }

  /// Records a fault, or loses it.
  ///
  /// {@return whether the queue wants to interrupt}
  synchronized boolean record(long first, long iotval, long iotval2) {
    if (!isOn()) {
      return false;
    }
    if (!hasFaulted() && !hasOverflowed()) {
      store(first, iotval, iotval2);
    }
    return interruptsEnabled();
  }

  private void store(long first, long iotval, long iotval2) {
    if (isFull()) {
      overflow();
      return;
    }
    long at = place();
    try {
      memory.write64(at, first);
      memory.write64(at + Long.BYTES, 0);
      memory.write64(at + FaultLayout.IOTVAL_AT, iotval);
      memory.write64(at + FaultLayout.IOTVAL2_AT, iotval2);
      memory.publish();
      advance();
    } catch (BusErrorException e) {
      fault();
    }
  }
}
