package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.IrteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86MessageLayout;
import org.jspecify.annotations.Nullable;

/// The way of an interrupt message: to the local APICs as it is, or through an interrupt remapping table entry. What the cache answers takes no
/// lock and allocates nothing.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 5.1 (interrupt remapping), 7.1.3 (faults 20h to 28h).
final class MessagePath {
  private static final int FUNCTION_BITS = 3;

  private final UnitCaches caches;
  private final Faults faults;
  private final PhysicalMemory memory;
  private final ApicPort apics;
  private final Posting posting;
  private final boolean posts;

  MessagePath(
      VtdFeatures features,
      UnitCaches caches,
      Faults faults,
      PhysicalMemory memory,
      ApicPort apics) {
    this.posting = new Posting(faults, memory, apics);
    this.posts = VtdRegisters.PI.isSet(features.cap());
    this.caches = caches;
    this.faults = faults;
    this.memory = memory;
    this.apics = apics;
  }

  BusOutcome take(UnitRegime regime, int sourceId, long address, long data) {
    if (!regime.remaps()) {
      return pass(address, data);
    }
    if (!FORMAT.isSet(address)) {
      return regime.compatible() && !regime.extended()
          ? pass(address, data)
          : fault(sourceId, VtdFault.COMPATIBILITY_BLOCKED, 0);
    }
    long index = HANDLE_LOW.get(address) | HANDLE_HIGH.get(address) << HANDLE_LOW.width();
    if (SHV.isSet(address)) {
      if ((data & MESSAGE_DATA.mask(BitKind.RES0)) != 0) {
        return fault(sourceId, VtdFault.REQUEST_RESERVED, index);
      }
      index += SUBHANDLE.get(data);
    }
    if (index >= regime.entries()) {
      return fault(sourceId, VtdFault.INDEX_BEYOND_TABLE, index);
    }
    UnitCaches.Entry e = caches.entry((int) index);
    if (e == null) {
      e = fetch(regime, sourceId, index);
      if (e == null) {
        return BusOutcome.ERROR;
      }
    }
    if (!belongs(sourceId, e.high())) {
      return P.isSet(e.low()) && FPD.isSet(e.low())
          ? BusOutcome.ERROR
          : fault(sourceId, VtdFault.SOURCE_ID, index);
    }
    return IM.isSet(e.low()) ? posting.post(regime, sourceId, index, e) : send(regime, e.low());
  }

  private BusOutcome pass(long address, long data) {
    int command = X86CommandLayout.ofMessage(address, (int) data);
    return outcome(apics.send(X86MessageLayout.DESTINATION.get(address), command, false));
  }

  private BusOutcome send(UnitRegime regime, long low) {
    int mode = X86CommandLayout.redirected(DLM.getInt(low), RH.isSet(low), DM.isSet(low));
    int command = X86CommandLayout.command(V.getInt(low), mode, DM.isSet(low));
    long destination = regime.extended() ? DST.get(low) : XAPIC_DST.get(low);
    return outcome(apics.send(destination, command, regime.extended()));
  }

  private static BusOutcome outcome(boolean taken) {
    return taken ? BusOutcome.OK : BusOutcome.ERROR;
  }

  private UnitCaches.@Nullable Entry fetch(UnitRegime regime, int sourceId, long index) {
    long at = VtdRegisters.IRTA.get(regime.table()) + index * BYTES;
    long[] entry = new long[2];
    try {
      // Hardware reads an entry at once: read again until the half with P did not change meanwhile.
      do {
        memory.read128(at, entry);
      } while (memory.read64(at) != entry[0]);
    } catch (BusErrorException e) {
      fault(sourceId, VtdFault.IRTE_ACCESS, index);
      return null;
    }
    long low = entry[0];
    long high = entry[1];
    VtdFault wrong = wrong(low, high);
    if (wrong != null) {
      if (!FPD.isSet(low)) {
        fault(sourceId, wrong, index);
      }
      return null;
    }
    UnitCaches.Entry e = new UnitCaches.Entry(low, high);
    caches.keep((int) index, e);
    return e;
  }

  /// Posted entries count as reserved where CAP_REG.PI is 0.
  private @Nullable VtdFault wrong(long low, long high) {
    if (!P.isSet(low)) {
      return VtdFault.IRTE_NOT_PRESENT;
    }
    boolean posted = IM.isSet(low);
    long zeroLow = (posted ? POSTED_LOW : LOW).mask(BitKind.RES0);
    long zeroHigh = (posted ? POSTED_HIGH : HIGH).mask(BitKind.RES0);
    boolean reserved =
        (low & zeroLow) != 0
            || (high & zeroHigh) != 0
            || (posted && !posts)
            || SVT.getInt(high) > SVT_BUS;
    return reserved ? VtdFault.IRTE_RESERVED : null;
  }

  private BusOutcome fault(int sourceId, VtdFault fault, long index) {
    faults.interrupt(sourceId, fault, index);
    return BusOutcome.ERROR;
  }

  /// {@return whether an entry takes messages of a requester}
  private static boolean belongs(int requester, long high) {
    int sid = SID.getInt(high);
    return switch (SVT.getInt(high)) {
      case SVT_NONE -> true;
      case SVT_SID -> ((requester ^ sid) & 0xffff & ~open(SQ.getInt(high))) == 0;
      default -> {
        int bus = requester >>> Byte.SIZE;
        yield bus >= sid >>> Byte.SIZE && bus <= (sid & 0xff);
      }
    };
  }

  /// {@return bits of the source-id that a qualifier leaves out: function bit 2, then 1, then 0}
  private static int open(int qualifier) {
    int all = (1 << FUNCTION_BITS) - 1;
    return all & ~(all >>> qualifier);
  }
}
