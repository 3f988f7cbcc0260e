package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bus.Translator;

/// What a model's event log is told of memory accesses that end in tables. Allocates nothing.
///
/// **Source** 48882 revision 3.09, 2.5.2 (ILLEGAL_DEV_TABLE_ENTRY), 2.5.3 (IO_PAGE_FAULT), 2.5.5 (PAGE_TAB_HARDWARE_ERROR).
final class AccessFaults {
  private static final int LOW_PASID = 0xffff;

  private final EventLog events;

  AccessFaults(EventLog events) {
    this.events = events;
  }

  static long write(int access) {
    return EventWords.flag(RW, (access & Translator.WRITE) != 0);
  }

  /// {@return who sent an access, and in which of his address spaces: the PASID where there is one, the domain else}
  static long who(int code, int device, DeviceEntry e, int pasid) {
    return pasid < 0
        ? EventWords.of(code, device, e.domain)
        : EventWords.of(code, device, pasid & LOW_PASID)
            | PASID.place(pasid >>> Short.SIZE)
            | GN.mask();
  }

  /// Tells of an I/O page fault. With SA=1 nothing is logged, with SE=1 the first until the entry is fetched anew.
  ///
  /// @param pasid of an address that guest tables translate; -1 for one that the host's do
  void page(DeviceEntry e, int device, int pasid, long address, long flags) {
    if (!e.silent && !(e.once && e.logged)) {
      e.logged = true;
      events.record(who(IO_PAGE_FAULT, device, e, pasid) | flags, address);
    }
  }

  /// Tells of a device table entry that cannot be.
  void illegal(int device, long address, long flags) {
    events.record(EventWords.of(ILLEGAL_DEV_TABLE_ENTRY, device, 0) | flags, address);
  }

  /// Tells of a table entry that nothing answered for.
  void unreadable(DeviceEntry e, int device, int pasid, long at, int access) {
    events.hardwareError(
        who(PAGE_TAB_HARDWARE_ERROR, device, e, pasid) | write(access) | EventWords.aborted(), at);
  }
}
