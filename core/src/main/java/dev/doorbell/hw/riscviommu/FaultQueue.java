package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;

/// The fault queue and its registers. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.2 and 6.13.
final class FaultQueue {
  private final PhysicalMemory memory;
  private long base;
  private int head;
  private int tail;
  private long csr;

  FaultQueue(PhysicalMemory memory) {
    this.memory = memory;
  }

  synchronized long base() {
    return base;
  }

  synchronized int head() {
    return head;
  }

  synchronized int tail() {
    return tail;
  }

  synchronized long csr() {
    return csr;
  }

  synchronized void setBase(long value) {
    if (!FQEN.isSet(csr)) {
      base = FQB.legalize(base, value);
    }
  }

  synchronized void setHead(long value) {
    head = (int) value & mask();
  }

  synchronized void setCsr(long value) {
    boolean was = FQEN.isSet(csr);
    csr = FQCSR.legalize(csr, value);
    if (FQEN.isSet(csr) && !was) {
      tail = 0;
      csr &= ~(FQMF.mask() | FQOF.mask());
    }
    csr = FQON.with(csr, FQEN.isSet(csr) ? 1 : 0);
  }

  /// Records a fault, or loses it.
  ///
  /// {@return whether the queue wants to interrupt}
  synchronized boolean record(long first, long iotval, long iotval2) {
    if (!FQON.isSet(csr)) {
      return false;
    }
    if (!FQMF.isSet(csr) && !FQOF.isSet(csr)) {
      store(first, iotval, iotval2);
    }
    return FIE.isSet(csr);
  }

  private void store(long first, long iotval, long iotval2) {
    int next = (tail + 1) & mask();
    if (next == head) {
      csr |= FQOF.mask();
      return;
    }
    long at = DirectoryLayout.address(BASE_PPN.get(base)) + (long) tail * FaultLayout.BYTES;
    try {
      memory.write64(at, first);
      memory.write64(at + Long.BYTES, 0);
      memory.write64(at + FaultLayout.IOTVAL_AT, iotval);
      memory.write64(at + FaultLayout.IOTVAL2_AT, iotval2);
      memory.publish();
      tail = next;
    } catch (BusErrorException e) {
      csr |= FQMF.mask();
    }
  }

  private int mask() {
    return (2 << LOG2SZ.getInt(base)) - 1;
  }
}
