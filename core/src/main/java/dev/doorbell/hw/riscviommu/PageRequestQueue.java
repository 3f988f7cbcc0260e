package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;

/// The page-request queue and its registers. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.3 and 6.14.
final class PageRequestQueue extends RecordQueue {
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

  PageRequestQueue(PhysicalMemory memory) {
    super(RiscvIommuRegisters.PQB, RiscvIommuRegisters.PQCSR, PageRequestLayout.BYTES);
    this.memory = memory;
  }

  /// {@return whether what happened last is to interrupt}
  synchronized boolean interrupts() {
    return isOn() && interruptsEnabled();
  }

  /// Queues a request, or discards it.
  synchronized Taken take(PageRequest request) {
    if (!isOn()) {
      return Taken.OFF;
    }
    if (hasFaulted()) {
      return Taken.MEMORY_FAULT;
    }
    if (hasOverflowed() || isFull()) {
      overflow();
      return Taken.OVERFLOW;
    }
    long at = place();
    try {
      memory.write64(at, first(request));
      memory.write64(at + Long.BYTES, payload(request));
      memory.publish();
    } catch (BusErrorException e) {
      fault();
      return Taken.MEMORY_FAULT;
    }
    advance();
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
}
