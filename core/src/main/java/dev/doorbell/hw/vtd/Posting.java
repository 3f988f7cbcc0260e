package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PostedLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.X86CommandLayout;

/// Posts an interrupt: its bit in the descriptor first, then ON, then the notification. Takes no lock and allocates nothing.
///
/// Hardware owns the descriptor's cache line meanwhile. Here each quadword is updated atomically, the request's before the control's, so that who
/// clears ON or SN and then looks at PIR misses nothing.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 5.2.3 (interrupt posting hardware operation), 7.1.3 (faults 27h
/// and 28h).
final class Posting {
  private final Faults faults;
  private final PhysicalMemory memory;
  private final ApicPort apics;

  Posting(Faults faults, PhysicalMemory memory, ApicPort apics) {
    this.faults = faults;
    this.memory = memory;
    this.apics = apics;
  }

  BusOutcome post(UnitRegime regime, int sourceId, long index, UnitCaches.Entry e) {
    long at = IrteLayout.descriptor(e.low(), e.high());
    int vector = IrteLayout.POSTED_V.getInt(e.low());
    boolean urgent = IrteLayout.URG.isSet(e.low());
    long told;
    try {
      if (isReserved(at)) {
        return fault(e, sourceId, VtdFault.DESCRIPTOR_RESERVED, index);
      }
      request(at + pir(vector), bit(vector));
      told = outstanding(at + CONTROL_AT, urgent);
    } catch (BusErrorException broken) {
      return fault(e, sourceId, VtdFault.DESCRIPTOR_ACCESS, index);
    }
    if (ON.isSet(told)) {
      int command = X86CommandLayout.command(NV.getInt(told), X86CommandLayout.FIXED, false);
      apics.send(destination(told, regime.extended()), command, regime.extended());
    }
    return BusOutcome.OK;
  }

  private boolean isReserved(long at) {
    long bits = memory.read64(at + CONTROL_AT) & CONTROL.mask(BitKind.RES0);
    for (long word = CONTROL_AT + Long.BYTES; word < BYTES; word += Long.BYTES) {
      bits |= memory.read64(at + word);
    }
    return bits != 0;
  }

  private void request(long at, long bit) {
    long before;
    do {
      before = memory.read64(at);
    } while (!memory.compareAndSet64(at, before, before | bit));
  }

  /// Sets ON where a notification is to go out. {@return the control quadword that it set it in; 0 when none is to}
  private long outstanding(long at, boolean urgent) {
    while (true) {
      long before = memory.read64(at);
      if (ON.isSet(before) || SN.isSet(before) && !urgent) {
        return 0;
      }
      if (memory.compareAndSet64(at, before, before | ON.mask())) {
        return before | ON.mask();
      }
    }
  }

  private BusOutcome fault(UnitCaches.Entry e, int sourceId, VtdFault fault, long index) {
    if (!IrteLayout.POSTED_FPD.isSet(e.low())) {
      faults.interrupt(sourceId, fault, index);
    }
    return BusOutcome.ERROR;
  }
}
