package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.InvalidationLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Layout;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;

/// Carries out invalidations, those of the queue and those of registers. Each is complete, and the accesses that were in flight have ended,
/// before the next one begins. Called with the unit's lock.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 6.5 (invalidation).
final class InvalidationQueue {
  private static final int GLOBAL = VtdRegisters.GLOBAL;
  private static final int DOMAIN = VtdRegisters.DOMAIN;
  private static final int SELECTIVE = VtdRegisters.SELECTIVE;
  private static final int PAGE_BITS = PagingLayout.PAGE_BITS;
  private static final int FUNCTION_BITS = 3;

  private final UnitContents registers;
  private final UnitCaches caches;
  private final Faults faults;
  private final PhysicalMemory memory;
  private final AccessGate gate;

  InvalidationQueue(
      UnitContents registers,
      UnitCaches caches,
      Faults faults,
      PhysicalMemory memory,
      AccessGate gate) {
    this.registers = registers;
    this.caches = caches;
    this.faults = faults;
    this.memory = memory;
    this.gate = gate;
  }

  /// Takes descriptors up to the tail, or up to one that is wrong.
  void run() {
    while (registers.isSet(VtdRegisters.GSTS_REG, VtdRegisters.QIES)
        && !registers.isSet(VtdRegisters.FSTS_REG, VtdRegisters.IQE)) {
      long head = registers.get(VtdRegisters.IQH_REG);
      long tail = registers.get(VtdRegisters.IQT_REG);
      long iqa = registers.get(VtdRegisters.IQA_REG);
      long bytes = 1L << PAGE_BITS + VtdRegisters.QS.getInt(iqa);
      if (head == tail) {
        return;
      }
      if (tail >= bytes || !step(VtdRegisters.IQA_BASE.get(iqa) + head)) {
        faults.queueError();
        return;
      }
      registers.set(VtdRegisters.IQH_REG, (head + BYTES) % bytes);
    }
  }

  /// {@return whether the descriptor was one}
  private boolean step(long at) {
    long low;
    long high;
    try {
      low = memory.read64(at);
      high = memory.read64(at + Long.BYTES);
    } catch (BusErrorException e) {
      return false;
    }
    return switch (TYPE.getInt(low)) {
      case CONTEXT_CACHE ->
          clean(CONTEXT, low)
              && high == 0
              && contexts(
                  CC_G.getInt(low), CC_DID.getInt(low), CC_SID.getInt(low), CC_FM.getInt(low));
      case IOTLB ->
          clean(IOTLB_LOW, low)
              && clean(IOTLB_HIGH, high)
              && pages(IOTLB_G.getInt(low), IOTLB_DID.getInt(low), ADDR.get(high), AM.getInt(high));
      case INTERRUPT_ENTRY_CACHE -> clean(IEC, low) && high == 0 && entries(low);
      case WAIT -> clean(WAIT_LOW, low) && clean(WAIT_HIGH, high) && arrived(low, high);
      // No device TLBs here: ECAP_REG.DT is 0.
      default -> false;
    };
  }

  private static boolean clean(Layout layout, long word) {
    return (word & layout.mask(BitKind.RES0)) == 0;
  }

  private boolean arrived(long low, long high) {
    if (SW.isSet(low)) {
      try {
        memory.write32(STATUS_ADDRESS.get(high), STATUS_DATA.getInt(low));
      } catch (BusErrorException e) {
        return false;
      }
    }
    if (IF.isSet(low)) {
      faults.waitDone();
    }
    return true;
  }

  /// Drops contexts. {@return whether there is such a granularity}
  boolean contexts(int granularity, int domain, int sourceId, int functionMask) {
    int all = (1 << FUNCTION_BITS) - (1 << FUNCTION_BITS - functionMask);
    return twice(() -> {
      switch (granularity) {
        case GLOBAL -> caches.dropContexts(-1);
        case DOMAIN -> caches.dropContexts(domain);
        case SELECTIVE -> caches.dropContexts(domain, sourceId, all);
        default -> {
          return false;
        }
      }
      return true;
    });
  }

  /// Drops pages. {@return whether there is such a granularity}
  boolean pages(int granularity, int domain, long address, int mask) {
    if (mask > VtdRegisters.MAMV.get(registers.get(VtdRegisters.CAP_REG))) {
      return false;
    }
    return twice(() -> {
      switch (granularity) {
        case GLOBAL -> caches.dropPages(-1);
        case DOMAIN -> caches.dropPages(domain);
        case SELECTIVE -> caches.dropPages(domain, address, PAGE_BITS + mask);
        default -> {
          return false;
        }
      }
      return true;
    });
  }

  private boolean entries(long low) {
    int mask = InvalidationLayout.IM.getInt(low);
    if (mask > VtdRegisters.MHMV.get(registers.get(VtdRegisters.ECAP_REG))) {
      return false;
    }
    return twice(() -> {
      if (IEC_G.isSet(low)) {
        caches.dropEntries(IIDX.getInt(low), 1 << mask);
      } else {
        caches.dropEntries();
      }
      return true;
    });
  }

  /// What an access in flight has read before the first time, it may keep until the second.
  private boolean twice(java.util.function.BooleanSupplier drop) {
    boolean known = drop.getAsBoolean();
    if (known) {
      gate.drain();
      known = drop.getAsBoolean();
    }
    return known;
  }
}
