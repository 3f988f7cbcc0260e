package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.irq.X86MessageLayout;
import org.jspecify.annotations.Nullable;

/// The way of a DMA access in scalable mode: root entry, context entry, PASID directory and table, tables of one stage or both. A look-up that
/// the caches answer takes no lock and allocates nothing.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.3 (scalable mode), 6.2 (caches), 7.1.3 (faults).
final class ScalablePath {
  private static final int DEVICES_BITS = 7;
  private static final int DIRECTORY_BITS = 7;

  private final VtdFeatures features;
  private final UnitCaches caches;
  private final Faults faults;
  private final PhysicalMemory memory;

  ScalablePath(VtdFeatures features, UnitCaches caches, Faults faults, PhysicalMemory memory) {
    this.features = features;
    this.caches = caches;
    this.faults = faults;
    this.memory = memory;
  }

  /// One access.
  ///
  /// @param pasid that it carries, or below 0
  record Access(int sourceId, int pasid, long address, boolean write) {}

  /// {@return the physical address, or {@link Translator#FAULT}}
  ///
  /// @param pasid that the request carries, or below 0
  long translate(UnitRegime regime, int sourceId, int pasid, long address, int access) {
    boolean write = (access & Translator.WRITE) != 0;
    boolean read = (access & Translator.READ) != 0;
    PasidCaches.Context c = caches.pasids().context(sourceId);
    if (c == null) {
      c = fetch(regime, new Access(sourceId, pasid, address, write));
      if (c == null) {
        return Translator.FAULT;
      }
    }
    int used = pasid < 0 ? c.ridPasid() : pasid;
    PasidCaches.Entry e = caches.pasids().entry(sourceId, used);
    if (e == null || (pasid >= 0 && !c.pasidEnabled())) {
      e = entry(c, used, new Access(sourceId, pasid, address, write));
      if (e == null) {
        return Translator.FAULT;
      }
    }
    if (e.type() == PasidLayout.PASS_THROUGH) {
      return address >>> features.passedBits() == 0
          ? address
          : fault(
              e.silent(), new Access(sourceId, pasid, address, write), VtdFault.SM_BEYOND_WIDTH);
    }
    boolean supervisor = pasid < 0 && c.privileged();
    UnitCaches.Page p = supervisor ? null : caches.page(e.domain(), e.tag(), address);
    if (p == null || write && !p.writable() || read && !p.read()) {
      return walk(e, new Access(sourceId, pasid, address, write), supervisor);
    }
    return p.output() | address & (1L << p.shift()) - 1;
  }

  private long walk(PasidCaches.Entry e, Access a, boolean supervisor) {
    if (supervisor && !e.supervisor()) {
      return fault(e.silent(), a, VtdFault.SM_SUPERVISOR_OFF);
    }
    StageWalk w = new StageWalk(features, memory, e, supervisor);
    if (!w.run(a.address, a.write)) {
      return fault(e.silent(), a, w.fault());
    }
    long pa = w.output();
    if (pa >>> X86MessageLayout.FEE.lsb() == X86MessageLayout.WINDOW) {
      return fault(e.silent(), a, VtdFault.SM_INTERRUPT_ADDRESS);
    }
    if (!supervisor) {
      int shift = w.shift();
      caches.keep(
          new UnitCaches.Page(
              e.domain(),
              e.tag(),
              a.address >>> shift,
              shift,
              pa & -(1L << shift),
              w.keepsReadable(),
              w.keepsWritable()));
    }
    return pa;
  }

  private long fault(boolean silent, Access a, VtdFault fault) {
    if (!silent) {
      faults.dma(a.sourceId, a.pasid, fault, a.address, a.write);
    }
    return Translator.FAULT;
  }

  private PasidCaches.@Nullable Context fetch(UnitRegime regime, Access a) {
    long low;
    long high;
    long rest;
    VtdFault broken = VtdFault.SM_ROOT_ACCESS;
    try {
      int devfn = a.sourceId & 0xff;
      boolean upper = devfn >>> DEVICES_BITS != 0;
      long at =
          VtdRegisters.RTA.get(regime.root()) + (long) (a.sourceId >>> Byte.SIZE) * ROOT_BYTES;
      long root = memory.read64(upper ? at + Long.BYTES : at);
      if (!(upper ? UP : LP).isSet(root)) {
        return noContext(false, a, VtdFault.SM_ROOT_NOT_PRESENT);
      }
      if ((root & SCALABLE_ROOT_LOW.mask(BitKind.RES0)) != 0) {
        return noContext(false, a, VtdFault.SM_ROOT_RESERVED);
      }
      broken = VtdFault.SM_CONTEXT_ACCESS;
      long index = devfn & (1 << DEVICES_BITS) - 1;
      long entry = (upper ? UCTP : LCTP).get(root) + index * SCALABLE_BYTES;
      low = memory.read64(entry);
      high = memory.read64(entry + Long.BYTES);
      rest = memory.read64(entry + 2 * Long.BYTES) | memory.read64(entry + 3 * Long.BYTES);
    } catch (BusErrorException e) {
      return noContext(false, a, broken);
    }
    boolean silent = SM_FPD.isSet(low);
    if (!SM_P.isSet(low)) {
      return noContext(silent, a, VtdFault.SM_CONTEXT_NOT_PRESENT);
    }
    long reserved = low & SCALABLE_LOW.mask(BitKind.RES0) | high & SCALABLE_HIGH.mask(BitKind.RES0);
    if ((reserved | rest) != 0) {
      return noContext(silent, a, VtdFault.SM_CONTEXT_RESERVED);
    }
    if (DTE.isSet(low) || PRE.isSet(low)) {
      // No device TLBs and page requests here: ECAP_REG.DT and PRS are 0.
      return noContext(silent, a, VtdFault.SM_CONTEXT_INVALID);
    }
    PasidCaches.Context c =
        new PasidCaches.Context(
            PASIDDIRPTR.get(low),
            PDTS.getInt(low) + DIRECTORY_BITS,
            features.hasRidPasid() ? RID_PASID.getInt(high) : 0,
            PASIDE.isSet(low),
            RID_PRIV.isSet(high),
            silent);
    caches.pasids().keep(a.sourceId, c);
    return c;
  }

  private PasidCaches.@Nullable Context noContext(boolean silent, Access a, VtdFault fault) {
    fault(silent, a, fault);
    return null;
  }

  private PasidCaches.@Nullable Entry noEntry(boolean silent, Access a, VtdFault fault) {
    fault(silent, a, fault);
    return null;
  }

  private PasidCaches.@Nullable Entry entry(PasidCaches.Context c, int pasid, Access a) {
    if (a.pasid >= 0 && !c.pasidEnabled()) {
      return noEntry(c.silent(), a, VtdFault.SM_PASID_OFF);
    }
    if (pasid >>> c.directoryBits() + PasidLayout.TABLE_BITS != 0) {
      return noEntry(
          c.silent(), a, a.pasid >= 0 ? VtdFault.SM_PASID_BEYOND_DIRECTORY : VtdFault.SM_RID_PASID);
    }
    VtdFault broken = VtdFault.SM_DIRECTORY_ACCESS;
    boolean silent = c.silent();
    long[] q = new long[PasidLayout.WORDS];
    try {
      long at =
          c.directory() + (long) (pasid >>> PasidLayout.TABLE_BITS) * PasidLayout.DIRECTORY_BYTES;
      long word = memory.read64(at);
      silent |= PasidLayout.DIR_FPD.isSet(word);
      if (!PasidLayout.DIR_P.isSet(word)) {
        return noEntry(silent, a, VtdFault.SM_DIRECTORY_NOT_PRESENT);
      }
      if ((word & PasidLayout.DIRECTORY.mask(BitKind.RES0)) != 0) {
        return noEntry(silent, a, VtdFault.SM_DIRECTORY_RESERVED);
      }
      broken = VtdFault.SM_PASID_ACCESS;
      int index = pasid & (1 << PasidLayout.TABLE_BITS) - 1;
      long table = PasidLayout.SMPTBLPTR.get(word) + (long) index * PasidLayout.ENTRY_BYTES;
      for (int i = 0; i < q.length; i++) {
        q[i] = memory.read64(table + (long) i * Long.BYTES);
      }
    } catch (BusErrorException e) {
      return noEntry(silent, a, broken);
    }
    silent |= PasidLayout.FPD.isSet(q[0]);
    if (!PasidLayout.P.isSet(q[0])) {
      return noEntry(silent, a, VtdFault.SM_PASID_NOT_PRESENT);
    }
    if ((q[0] & PasidLayout.ENTRY_0.mask(BitKind.RES0)) != 0) {
      return noEntry(silent, a, VtdFault.SM_PASID_RESERVED);
    }
    PasidCaches.Entry e = PasidCaches.Entry.of(a.sourceId, pasid, q, silent);
    if (!features.has(e)) {
      return noEntry(silent, a, VtdFault.SM_PASID_INVALID);
    }
    caches.pasids().keep(e);
    return e;
  }
}
