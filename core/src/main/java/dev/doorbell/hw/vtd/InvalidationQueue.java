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
  private static final int ALL_SOURCES = 0xffff;

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
      int width = VtdRegisters.DW.isSet(iqa) ? WIDE_BYTES : BYTES;
      if (tail >= bytes || tail % width != 0 || head % width != 0) {
        faults.queueError();
        return;
      }
      if (!isNarrow(width, VtdRegisters.IQA_BASE.get(iqa) + head)
          || !step(VtdRegisters.IQA_BASE.get(iqa) + head)) {
        faults.queueError();
        return;
      }
      registers.set(VtdRegisters.IQH_REG, (head + width) % bytes);
    }
  }

  /// {@return whether the upper half of a wide descriptor is 0, as all of those here have it}
  private boolean isNarrow(int width, long at) {
    try {
      return width == BYTES
          || (memory.read64(at + BYTES) | memory.read64(at + BYTES + Long.BYTES)) == 0;
    } catch (BusErrorException e) {
      return false;
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
      case PASID_CACHE ->
          isScalable() && high == 0 && clean(PASID_CACHE_LAYOUT, low) && pasids(low);
      case PASID_IOTLB ->
          isScalable()
              && clean(PASID_IOTLB_LOW, low)
              && clean(PASID_IOTLB_HIGH, high)
              && pasidPages(low, high);
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

  private boolean isScalable() {
    return registers.isSet(VtdRegisters.ECAP_REG, VtdRegisters.SMTS);
  }

  private boolean pasids(long low) {
    int domain = PC_DID.getInt(low);
    int pasid = PC_PASID_ID.getInt(low);
    return twice(() -> {
      switch (PC_G.getInt(low)) {
        case PC_GLOBAL -> caches.pasids().dropEntries(-1, -1);
        case PC_DOMAIN -> caches.pasids().dropEntries(domain, -1);
        case PC_PASID -> caches.pasids().dropEntries(domain, pasid);
        default -> {
          return false;
        }
      }
      return true;
    });
  }

  private boolean pasidPages(long low, long high) {
    int mask = PI_AM.getInt(high);
    if (mask > VtdRegisters.MAMV.get(registers.get(VtdRegisters.CAP_REG))) {
      return false;
    }
    int domain = PI_DID.getInt(low);
    int pasid = PI_PASID_ID.getInt(low);
    return twice(() -> {
      switch (PI_G.getInt(low)) {
        case PI_PASID -> caches.dropPasid(domain, pasid);
        case PI_PAGES -> caches.dropPasid(domain, pasid, PI_ADDR.get(high), PAGE_BITS + mask);
        default -> {
          return false;
        }
      }
      return true;
    });
  }

  /// Drops contexts. {@return whether there is such a granularity}
  boolean contexts(int granularity, int domain, int sourceId, int functionMask) {
    int all = (1 << FUNCTION_BITS) - (1 << FUNCTION_BITS - functionMask);
    return twice(() -> {
      switch (granularity) {
        case GLOBAL -> {
          caches.dropContexts(-1);
          caches.pasids().dropContexts(0, ALL_SOURCES);
        }
        // A context entry of scalable mode is of no domain: all are dropped.
        case DOMAIN -> {
          caches.dropContexts(domain);
          caches.pasids().dropContexts(0, ALL_SOURCES);
        }
        case SELECTIVE -> {
          caches.dropContexts(domain, sourceId, all);
          caches.pasids().dropContexts(sourceId, all);
        }
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
