package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;

/// Posts an interrupt to a guest: its bit in IRR of the virtual APIC's backing page first; then the processor that runs the guest is told, or, where
/// none does, the log. Which processor runs it, and what the log is to say, the entry in memory tells anew each time: IsRun, Destination, GALogIntr and
/// GATag are not cached. Allocates nothing. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.2.5.2 (guest virtual APIC mode), 2.7 (its log), 3.4.12 and 3.4.13 (registers); APM volume 2, 15.29 (backing page).
final class GuestPosting {
  /// Where IRR lies in a backing page; each register of 32 vectors has 16 bytes.
  private static final int IRR = 0x200;

  private static final int IRR_STRIDE = 16;

  private final PhysicalMemory memory;
  private final LogRing log;
  private final ApicPort apics;

  GuestPosting(PhysicalMemory memory, LogRing log, ApicPort apics) {
    this.memory = memory;
    this.log = log;
    this.apics = apics;
  }

  /// What of an entry in guest mode is cached.
  ///
  /// @param page the virtual APIC's backing page
  record Guest(long page, int vector) {
    static Guest of(long high) {
      return new Guest(IrteLayout.GUEST_APIC.get(high), IrteLayout.GUEST_VECTOR.getInt(high));
    }
  }

  /// @param entry where the entry lies
  /// @throws BusException when no backing page, or no entry any more, is there
  void post(int device, Guest g, long entry) {
    long at = g.page + IRR + (long) (g.vector / Integer.SIZE) * IRR_STRIDE;
    long bit = 1L << g.vector % Integer.SIZE;
    long before;
    do {
      before = memory.read64(at);
    } while ((before & bit) == 0 && !memory.compareAndSet64(at, before, before | bit));
    // Both words of one moment, as hardware reads them: the destination lies in both.
    long low;
    long high;
    do {
      low = memory.read64(entry);
      high = memory.read64(entry + Long.BYTES);
    } while (low != memory.read64(entry));
    if (IrteLayout.IS_RUN.isSet(low)) {
      apics.doorbell(
          IrteLayout.GUEST_DESTINATION.get(low)
              | IrteLayout.GUEST_DESTINATION_HIGH.get(high)
                  << IrteLayout.GUEST_DESTINATION.width());
    } else if (IrteLayout.GA_LOG_INTR.isSet(low)) {
      log.append(
          GuestLogLayout.CODE.place(GuestLogLayout.GUEST_NOT_RUNNING)
              | GuestLogLayout.DEVICE.place(device)
              | GuestLogLayout.TAG.place(IrteLayout.GA_TAG.get(low)),
          0);
    }
  }
}
