package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.InvalidationLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import java.util.concurrent.locks.ReentrantLock;

/// The invalidation queue, as the driver fills it. Each call returns when the unit has done what it asks, interrupts and accesses in flight
/// included.
///
/// **Threads.** Safe for use from many. Its lock is taken last.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 6.5.2 (queued invalidation).
final class QueueDriver {
  private static final int QUEUE_BYTES = 4096;
  private static final int STATUS_BYTES = 64;

  private final VtdPort port;
  private final PhysicalMemory memory;
  private final Pa queue;
  private final Pa status;
  private final ReentrantLock lock = new ReentrantLock();
  private final int width;
  private long tail;

  /// What the last wait descriptor writes: another number each time, so that one that was given up and comes about late is not taken for it.
  private int waits;

  private QueueDriver(VtdPort port, PhysicalMemory memory, Pa queue, Pa status, boolean wide) {
    this.width = wide ? WIDE_BYTES : BYTES;
    this.port = port;
    this.memory = memory;
    this.queue = queue;
    this.status = status;
  }

  /// {@return a queue that the unit looks at}
  ///
  /// @param wide whether descriptors have 32 bytes, as scalable mode wants them
  /// @param rollback is told how to stop it; memory that the unit does not let go of stays taken
  static QueueDriver start(
      VtdPort port, PhysicalMemory memory, Frames frames, boolean wide, Rollback rollback) {
    Pa queue = frames.allocate(QUEUE_BYTES, QUEUE_BYTES);
    rollback.add(() -> {
      port.command(VtdRegisters.QIE, false, VtdRegisters.QIES);
      frames.free(queue, QUEUE_BYTES);
    });
    Pa status = frames.allocate(STATUS_BYTES, STATUS_BYTES);
    rollback.add(() -> {
      port.command(VtdRegisters.QIE, false, VtdRegisters.QIES);
      frames.free(status, STATUS_BYTES);
    });
    QueueDriver q = new QueueDriver(port, memory, queue, status, wide);
    port.command(VtdRegisters.QIE, false, VtdRegisters.QIES);
    port.set(VtdRegisters.IQT_REG, 0);
    port.set(
        VtdRegisters.IQA_REG,
        VtdRegisters.IQA_BASE.place(q.queue.value()) | VtdRegisters.DW.place(wide ? 1 : 0));
    port.command(VtdRegisters.QIE, true, VtdRegisters.QIES);
    return q;
  }

  void allContexts() {
    submit(CC_TYPE.place(CONTEXT_CACHE) | CC_G.place(VtdRegisters.GLOBAL), 0);
  }

  void context(int sourceId, int domain) {
    submit(
        CC_TYPE.place(CONTEXT_CACHE)
            | CC_G.place(VtdRegisters.SELECTIVE)
            | CC_DID.place(domain)
            | CC_SID.place(sourceId),
        0);
  }

  /// Drops the entries of all functions of a domain.
  void contexts(int domain) {
    submit(
        CC_TYPE.place(CONTEXT_CACHE) | CC_G.place(VtdRegisters.DOMAIN) | CC_DID.place(domain), 0);
  }

  void allPages() {
    submit(pages(VtdRegisters.GLOBAL, 0), 0);
  }

  void domain(int domain) {
    submit(pages(VtdRegisters.DOMAIN, domain), 0);
  }

  /// Drops pages and what leads to them.
  ///
  /// @param mask the run has 2^mask pages, and is naturally aligned
  void run(int domain, long address, int mask) {
    submit(pages(VtdRegisters.SELECTIVE, domain), ADDR.place(address) | AM.place(mask));
  }

  private static long pages(int granularity, int domain) {
    return IOTLB_TYPE.place(IOTLB)
        | IOTLB_G.place(granularity)
        | IOTLB_DW.mask()
        | IOTLB_DR.mask()
        | IOTLB_DID.place(domain);
  }

  void allPasids() {
    submit(PC_TYPE.place(PASID_CACHE) | PC_G.place(PC_GLOBAL), 0);
  }

  /// Drops what is kept of a PASID's table entry.
  void pasid(int domain, int pasid) {
    submit(
        PC_TYPE.place(PASID_CACHE)
            | PC_G.place(PC_PASID)
            | PC_DID.place(domain)
            | PC_PASID_ID.place(pasid),
        0);
  }

  /// Drops pages of a PASID's first stage.
  void pasidPages(int domain, int pasid) {
    submit(ofPasid(PI_PASID, domain, pasid), 0);
  }

  /// The same of a run, as {@link #run}.
  void pasidRun(int domain, int pasid, long address, int mask) {
    submit(ofPasid(PI_PAGES, domain, pasid), PI_ADDR.place(address) | PI_AM.place(mask));
  }

  private static long ofPasid(int granularity, int domain, int pasid) {
    return PI_TYPE.place(PASID_IOTLB)
        | PI_G.place(granularity)
        | PI_DID.place(domain)
        | PI_PASID_ID.place(pasid);
  }

  void allEntries() {
    submit(IEC_TYPE.place(INTERRUPT_ENTRY_CACHE), 0);
  }

  void entry(int index) {
    submit(IEC_TYPE.place(INTERRUPT_ENTRY_CACHE) | IEC_G.mask() | IIDX.place(index), 0);
  }

  private void submit(long low, long high) {
    lock.lock();
    try {
      waits++;
      put(tail, low, high);
      tail = next();
      putWait(tail);
      tail = next();
      memory.publish();
      port.set(VtdRegisters.IQT_REG, tail);
      await();
    } finally {
      lock.unlock();
    }
  }

  private long next() {
    return (tail + width) % QUEUE_BYTES;
  }

  private void putWait(long at) {
    put(
        at,
        WAIT_TYPE.place(WAIT)
            | SW.mask()
            | FN.mask()
            | STATUS_DATA.place(Integer.toUnsignedLong(waits)),
        STATUS_ADDRESS.place(status.value()));
  }

  private void put(long at, long low, long high) {
    memory.write64(queue.value() + at, low);
    memory.write64(queue.value() + at + Long.BYTES, high);
    for (long more = BYTES; more < width; more += Long.BYTES) {
      memory.write64(queue.value() + at + more, 0);
    }
  }

  private void await() {
    for (int i = 0; i < VtdPort.READS; i++) {
      if (memory.read32(status.value()) == waits) {
        return;
      }
      long fsts = port.get(VtdRegisters.FSTS_REG);
      if (VtdRegisters.IQE.isSet(fsts)
          || VtdRegisters.ITE.isSet(fsts)
          || VtdRegisters.ICE.isSet(fsts)) {
        throw recover(fsts);
      }
      Thread.onSpinWait();
    }
    throw VtdException.timeout(
        port.id, "the wait descriptor's status", "IQH_REG", port.get(VtdRegisters.IQH_REG));
  }

  /// Puts a wait in the place of the descriptor that the unit stopped at, and lets it go on, so that the queue can be used again. The wait writes
  /// what the given-up one would have: one that asks for a fence alone is an error on QEMU.
  private VtdException recover(long fsts) {
    long head = port.get(VtdRegisters.IQH_REG);
    if (VtdRegisters.IQE.isSet(fsts)) {
      putWait(VtdRegisters.QUEUE.get(head));
      memory.publish();
    }
    port.set(
        VtdRegisters.FSTS_REG,
        fsts & (VtdRegisters.IQE.mask() | VtdRegisters.ITE.mask() | VtdRegisters.ICE.mask()));
    return VtdException.queue(port.id, fsts, head);
  }
}
