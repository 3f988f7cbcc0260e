package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;

/// The page-request queue and its registers. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.3 and 6.14.
final class PageRequestQueue {
  /// What became of a request.
  enum Taken {
    QUEUED,
    /// The queue is off.
    OFF,
    /// There is no room, or there was none and software has not seen it yet.
    OVERFLOW,
    /// Its memory does not answer.
    MEMORY_FAULT
  }

  private final PhysicalMemory memory;
  private long base;
  private int head;
  private int tail;
  private long csr;

  PageRequestQueue(PhysicalMemory memory) {
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
    if (!PQEN.isSet(csr)) {
      base = PQB.legalize(base, value);
    }
  }

  synchronized void setHead(long value) {
    head = (int) value & mask();
  }

  synchronized void setCsr(long value) {
    boolean was = PQEN.isSet(csr);
    csr = PQCSR.legalize(csr, value);
    if (PQEN.isSet(csr) && !was) {
      tail = 0;
      csr &= ~(PQMF.mask() | PQOF.mask());
    }
    csr = PQON.with(csr, PQEN.isSet(csr) ? 1 : 0);
  }

  /// {@return whether what happened last is to interrupt}
  synchronized boolean interrupts() {
    return PQON.isSet(csr) && PIE.isSet(csr);
  }

  /// Queues a request, or discards it.
  synchronized Taken take(PageRequest request) {
    if (!PQON.isSet(csr)) {
      return Taken.OFF;
    }
    if (PQMF.isSet(csr)) {
      return Taken.MEMORY_FAULT;
    }
    int next = (tail + 1) & mask();
    if (PQOF.isSet(csr) || next == head) {
      csr |= PQOF.mask();
      return Taken.OVERFLOW;
    }
    long at = DirectoryLayout.address(BASE_PPN.get(base)) + (long) tail * PageRequestLayout.BYTES;
    try {
      memory.write64(at, first(request));
      memory.write64(at + Long.BYTES, payload(request));
      memory.publish();
    } catch (BusErrorException e) {
      csr |= PQMF.mask();
      return Taken.MEMORY_FAULT;
    }
    tail = next;
    return Taken.QUEUED;
  }

  private static long first(PageRequest request) {
    long device = PageRequestLayout.DID.place(request.requester() & PageRequestLayout.DID.max());
    return request.pasid() < 0
        ? device
        : device | PageRequestLayout.PV.mask() | PageRequestLayout.PID.place(request.pasid());
  }

  private static long payload(PageRequest request) {
    return PageRequestLayout.R.place((request.wants() & Translator.READ) != 0 ? 1 : 0)
        | PageRequestLayout.W.place((request.wants() & Translator.WRITE) != 0 ? 1 : 0)
        | PageRequestLayout.L.place(request.last() ? 1 : 0)
        | PageRequestLayout.GROUP.place(request.group())
        | request.page();
  }

  private int mask() {
    return (2 << LOG2SZ.getInt(base)) - 1;
  }
}
