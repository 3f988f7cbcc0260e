package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.Translator;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86MessageLayout;

/// The way of a write to the interrupt address range through a model: device table entry, then the entry of the device's own interrupt remapping
/// table that the datum selects, and the record of what went wrong.
///
/// **Source** 48882 revision 3.09, 2.2.5 (interrupt remapping), 2.5 (events).
final class InterruptPath {
  private static final int FIXED = 0;
  private static final int ARBITRATED = 1;
  private static final int NMI = 4;
  private static final int INIT = 5;
  private static final int EXT_INT = 7;

  private final DmaPath accesses;
  private final InterruptEntries entries;
  private final EventLog events;
  private final ApicPort apics;
  private final GuestPosting posting;

  InterruptPath(
      DmaPath accesses,
      InterruptEntries entries,
      EventLog events,
      ApicPort apics,
      GuestPosting posting) {
    this.posting = posting;
    this.accesses = accesses;
    this.entries = entries;
    this.events = events;
    this.apics = apics;
  }

  /// Takes a message.
  ///
  /// {@return whether a processor took the interrupt that it became}
  boolean message(int device, long address, int data, Settings s) {
    if (!s.enabled()) {
      return pass(address, data);
    }
    DeviceEntry e = accesses.entry(device, address, Translator.WRITE, true, s);
    if (e == null) {
      return false;
    }
    if (!e.maps) {
      return pass(address, data);
    }
    if (e.interruptReserved) {
      return illegal(device, address);
    }
    int mode = X86MessageLayout.DELIVERY_MODE.getInt(data);
    if (mode != FIXED && mode != ARBITRATED) {
      boolean passes =
          switch (mode) {
            case NMI -> e.passesNmi;
            case INIT -> e.passesInit;
            case EXT_INT -> e.passesExtInt;
            default -> false;
          };
      return passes ? pass(address, data) : fault(e, device, address, 0);
    }
    return switch (e.interruptControl) {
      case DteLayout.INT_ABORT -> fault(e, device, address, 0);
      case DteLayout.INT_FORWARD -> pass(address, data);
      case DteLayout.INT_REMAP -> remap(e, device, address, data, s);
      default -> illegal(device, address);
    };
  }

  /// A message that nothing remaps says itself which processors it is for.
  private boolean pass(long address, int data) {
    return apics.send(
        X86MessageLayout.DESTINATION.get(address),
        X86CommandLayout.command(
            X86MessageLayout.VECTOR.getInt(data),
            X86MessageLayout.DELIVERY_MODE.getInt(data),
            X86MessageLayout.MODE.isSet(address)),
        false);
  }

  private boolean remap(DeviceEntry e, int device, long address, int data, Settings s) {
    if (e.interruptLength > DteLayout.MOST_INT_TAB_LEN) {
      return illegal(device, address);
    }
    int index = IrteLayout.INDEX.getInt(Integer.toUnsignedLong(data));
    if (index >= 1 << e.interruptLength) {
      return fault(e, device, address, 0);
    }
    InterruptEntry entry;
    try {
      entry = entries.find(device, e, index, s);
    } catch (BusException _) {
      events.hardwareError(
          EventWords.of(PAGE_TAB_HARDWARE_ERROR, device, e.domain)
              | I.mask()
              | EventWords.aborted(),
          InterruptEntries.address(e, index, s));
      return false;
    }
    GuestPosting.Guest guest = entry.guest();
    if (entry.remaps() && entry.legal() && guest != null) {
      return post(e, device, guest, InterruptEntries.address(e, index, s));
    }
    if (entry.remaps() && entry.legal()) {
      return apics.send(entry.destination(), entry.command(), entry.wide());
    }
    return !entry.quiet() && fault(e, device, address, entry.remaps() ? PR.mask() | RZ.mask() : 0);
  }

  private boolean post(DeviceEntry e, int device, GuestPosting.Guest guest, long at) {
    try {
      posting.post(device, guest, at);
      return true;
    } catch (BusException _) {
      events.hardwareError(
          EventWords.of(PAGE_TAB_HARDWARE_ERROR, device, e.domain)
              | I.mask()
              | EventWords.aborted(),
          guest.page());
      return false;
    }
  }

  private boolean illegal(int device, long address) {
    events.record(
        EventWords.of(ILLEGAL_DEV_TABLE_ENTRY, device, 0) | I.mask() | RZ.mask(), address);
    return false;
  }

  private boolean fault(DeviceEntry e, int device, long address, long flags) {
    if (!e.ignoresUnmapped) {
      events.record(EventWords.of(IO_PAGE_FAULT, device, e.domain) | I.mask() | flags, address);
    }
    return false;
  }
}
