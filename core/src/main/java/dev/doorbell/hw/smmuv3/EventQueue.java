package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuRegisters.EVENTQ_BASE;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.EVENTQ_CONS;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.EVENTQ_PROD;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.OUTQ_CONS_OVACKFLG;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.OUTQ_CONS_RD;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.OUTQ_PROD_OVFLG;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.OUTQ_PROD_WR;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.Regime;

/// The event queue: a ring in memory that the SMMU fills and software empties. Safe for use from many threads.
///
/// **Source** IHI 0070 F.b, 3.5, 7.2 and 7.4.
final class EventQueue {
  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final SmmuInterrupts interrupts;
  private final int mostLog2;

  EventQueue(
      SmmuFeatures features,
      RegisterFile registers,
      PhysicalMemory memory,
      SmmuInterrupts interrupts) {
    this.registers = registers;
    this.memory = memory;
    this.interrupts = interrupts;
    mostLog2 = features.idr1(SmmuRegisters.IDR1_EVENTQS);
  }

  /// Queues a record. Lost when the queue is disabled or its memory cannot be written, and with SMMU_EVENTQ_PROD.OVFLG when
  /// it is full.
  synchronized void record(long word0, long word1, long word2, long word3) {
    if (!registers.isSet(SmmuRegisters.CR0ACK, SmmuRegisters.CR0_EVENTQEN)) {
      return;
    }
    long base = registers.get(EVENTQ_BASE);
    int log2 = Math.min(SmmuRegisters.OUTQ_BASE_LOG2SIZE.getInt(base), mostLog2);
    long producer = registers.get(EVENTQ_PROD);
    long consumer = registers.get(EVENTQ_CONS);
    long wrap = Regime.ones(log2) + 1;
    long indexes = Regime.ones(log2 + 1);
    long write = OUTQ_PROD_WR.get(producer) & indexes;
    long read = OUTQ_CONS_RD.get(consumer) & indexes;
    if ((write ^ read) == wrap) {
      overflow(producer, consumer);
      return;
    }
    long address =
        (SmmuRegisters.OUTQ_BASE_ADDR.get(base) & ~Regime.ones(log2 + EventLayout.LOG2_BYTES))
            + (write & Regime.ones(log2)) * EventLayout.BYTES;
    try {
      memory.write64(address + 3L * Long.BYTES, word3);
      memory.write64(address + 2L * Long.BYTES, word2);
      memory.write64(address + Long.BYTES, word1);
      memory.write64(address, word0);
    } catch (BusException _) {
      interrupts.error(SmmuRegisters.GERROR_EVENTQ_ABT_ERR);
      return;
    }
    memory.publish();
    registers.set(EVENTQ_PROD, OUTQ_PROD_WR.with(producer, (write + 1) & indexes));
    if (write == read) {
      interrupts.eventQueue();
    }
  }

  private void overflow(long producer, long consumer) {
    boolean acknowledged = OUTQ_PROD_OVFLG.isSet(producer) == OUTQ_CONS_OVACKFLG.isSet(consumer);
    if (acknowledged) {
      registers.set(EVENTQ_PROD, producer ^ OUTQ_PROD_OVFLG.mask());
      interrupts.eventQueue();
    }
  }
}
