package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import org.jspecify.annotations.Nullable;

/// The way of a DMA access in legacy mode: root entry, context entry, second-stage tables. A look-up that the caches answer takes no lock and
/// allocates nothing.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.2 (legacy mode), 3.7 (second stage), 7.1.3 (faults).
final class DmaPath {
  private static final int LEVEL_MASK = (1 << PagingLayout.INDEX_BITS) - 1;
  private static final int WIDTH_OF_NO_LEVEL = PagingLayout.PAGE_BITS;

  private final VtdFeatures features;
  private final UnitCaches caches;
  private final Faults faults;
  private final PhysicalMemory memory;

  DmaPath(VtdFeatures features, UnitCaches caches, Faults faults, PhysicalMemory memory) {
    this.features = features;
    this.caches = caches;
    this.faults = faults;
    this.memory = memory;
  }

  /// {@return the physical address, or {@link Translator#FAULT}}
  long translate(UnitRegime regime, int sourceId, long address, int access) {
    boolean write = (access & Translator.WRITE) != 0;
    boolean read = (access & Translator.READ) != 0;
    UnitCaches.Context c = caches.context(sourceId);
    if (c == null) {
      c = fetch(regime, sourceId, address, write);
      if (c == null) {
        return Translator.FAULT;
      }
    }
    if (beyond(c, address)) {
      return fault(c, sourceId, VtdFault.BEYOND_WIDTH, address, write);
    }
    if (c.levels() == 0) {
      return address;
    }
    UnitCaches.Page p = caches.page(c.domain(), UnitCaches.Page.SECOND, address);
    if (p == null) {
      p = walk(c, sourceId, address, write);
      if (p == null) {
        return Translator.FAULT;
      }
      // An entry that lets nothing through is not present, and not kept.
      if (p.read() || p.writable()) {
        caches.keep(p);
      }
    }
    if (write && !p.writable()) {
      return fault(c, sourceId, VtdFault.WRITE, address, true);
    }
    if (read && !p.read()) {
      return fault(c, sourceId, VtdFault.READ, address, false);
    }
    return p.output() | address & (1L << p.shift()) - 1;
  }

  private boolean beyond(UnitCaches.Context c, long address) {
    int most = VtdRegisters.MGAW.getInt(features.cap()) + 1;
    int width = c.levels() == 0 ? features.passedBits() : Math.min(most, width(c.levels()));
    return address >>> width != 0;
  }

  private static int width(int levels) {
    return WIDTH_OF_NO_LEVEL + levels * PagingLayout.INDEX_BITS;
  }

  private long fault(
      UnitCaches.Context c, int sourceId, VtdFault fault, long address, boolean write) {
    if (!c.silent()) {
      faults.dma(sourceId, Faults.NO_PASID, fault, address, write);
    }
    return Translator.FAULT;
  }

  private UnitCaches.@Nullable Context fetch(
      UnitRegime regime, int sourceId, long address, boolean write) {
    long low;
    long high;
    VtdFault broken = VtdFault.ROOT_ACCESS;
    try {
      long at = VtdRegisters.RTA.get(regime.root()) + (long) (sourceId >>> Byte.SIZE) * ROOT_BYTES;
      long root = memory.read64(at);
      if (!ROOT_P.isSet(root)) {
        return none(sourceId, VtdFault.ROOT_NOT_PRESENT, address, write);
      }
      if ((root & ROOT.mask(BitKind.RES0)) != 0 || memory.read64(at + Long.BYTES) != 0) {
        return none(sourceId, VtdFault.ROOT_RESERVED, address, write);
      }
      broken = VtdFault.CONTEXT_ACCESS;
      long entry = CTP.get(root) + (long) (sourceId & 0xff) * CONTEXT_BYTES;
      low = memory.read64(entry);
      high = memory.read64(entry + Long.BYTES);
    } catch (BusErrorException e) {
      return none(sourceId, broken, address, write);
    }
    if (!P.isSet(low)) {
      return FPD.isSet(low) ? null : none(sourceId, VtdFault.CONTEXT_NOT_PRESENT, address, write);
    }
    VtdFault wrong = wrong(low, high);
    if (wrong != null) {
      return FPD.isSet(low) ? null : none(sourceId, wrong, address, write);
    }
    boolean passes = TT.getInt(low) == TT_PASS_THROUGH;
    int levels = passes ? 0 : AW.getInt(high) + VtdRegisters.SAGAW_FEWEST_LEVELS;
    UnitCaches.Context c =
        new UnitCaches.Context(DID.getInt(high), SSPTPTR.get(low), levels, FPD.isSet(low));
    caches.keep(sourceId, c);
    return c;
  }

  private @Nullable VtdFault wrong(long low, long high) {
    if ((low & CONTEXT_LOW.mask(BitKind.RES0)) != 0
        || (high & CONTEXT_HIGH.mask(BitKind.RES0)) != 0) {
      return VtdFault.CONTEXT_RESERVED;
    }
    boolean type =
        switch (TT.getInt(low)) {
          case TT_SECOND_STAGE -> true;
          case TT_PASS_THROUGH -> VtdRegisters.PT.isSet(features.ecap());
          default -> false;
        };
    boolean width = (VtdRegisters.SAGAW.get(features.cap()) >>> AW.getInt(high) & 1) != 0;
    return type && width ? null : VtdFault.CONTEXT_INVALID;
  }

  private UnitCaches.@Nullable Context none(
      int sourceId, VtdFault fault, long address, boolean write) {
    faults.dma(sourceId, Faults.NO_PASID, fault, address, write);
    return null;
  }

  private UnitCaches.@Nullable Page walk(
      UnitCaches.Context c, int sourceId, long address, boolean write) {
    long table = c.root();
    boolean readable = true;
    boolean writable = true;
    for (int level = c.levels(); ; level--) {
      int shift = WIDTH_OF_NO_LEVEL + (level - 1) * PagingLayout.INDEX_BITS;
      long entry;
      try {
        entry = memory.read64(table + (address >>> shift & LEVEL_MASK) * PagingLayout.BYTES);
      } catch (BusErrorException e) {
        // LCT.4.3 where SSPTPTR leads, LSL.1 below.
        boolean root = level == c.levels();
        VtdFault broken = root ? VtdFault.CONTEXT_INVALID : VtdFault.PAGING_ACCESS;
        fault(c, sourceId, broken, address, write);
        return null;
      }
      readable &= PagingLayout.R.isSet(entry);
      writable &= PagingLayout.W.isSet(entry);
      boolean last = level == 1 || PagingLayout.PS.isSet(entry);
      if (!readable && !writable) {
        return new UnitCaches.Page(
            c.domain(), UnitCaches.Page.SECOND, address >>> shift, shift, 0, false, false);
      }
      if ((entry & PagingLayout.SECOND_RESERVED) != 0) {
        fault(c, sourceId, VtdFault.PAGING_RESERVED, address, write);
        return null;
      }
      if (last) {
        long within = (1L << shift) - 1;
        boolean supported =
            level == 1
                || (level <= PagingLayout.LARGEST_PAGE_LEVEL
                    && (VtdRegisters.SSLPS.get(features.cap()) >>> level - 2 & 1) != 0);
        if (!supported || (PagingLayout.ADDRESS.get(entry) & within) != 0) {
          fault(c, sourceId, VtdFault.PAGING_RESERVED, address, write);
          return null;
        }
        return new UnitCaches.Page(
            c.domain(),
            UnitCaches.Page.SECOND,
            address >>> shift,
            shift,
            PagingLayout.ADDRESS.get(entry),
            readable,
            writable);
      }
      table = PagingLayout.ADDRESS.get(entry);
    }
  }
}
