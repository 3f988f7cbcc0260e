package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;

/// Takes page requests of devices into their log. Every answer is software's, COMPLETE_PPR_REQUEST: a request that the log has no room for, and one
/// that an event tells of, have none else.
///
/// **Source** 48882 revision 3.09, 2.6 (Peripheral Page Request Logging), 2.5.10 (INVALID_PPR_REQUEST).
final class PageRequests {
  private final RegisterFile registers;
  private final DeviceEntries devices;
  private final EventLog events;
  private final LogRing ring;

  PageRequests(
      RegisterFile registers,
      PhysicalMemory memory,
      DeviceEntries devices,
      EventLog events,
      OwnInterrupt interrupt) {
    this.registers = registers;
    this.devices = devices;
    this.events = events;
    ring = new LogRing(Log.PAGE_REQUESTS, registers, memory, interrupt);
  }

  void take(PageRequest request, Settings s) {
    if (!s.enabled() || !registers.isSet(CONTROL_REG, PPR_EN)) {
      return;
    }
    if (mayAsk(request, s)) {
      ring.append(word(PageRequestLayout.PAGE_SERVICE_REQUEST, request), request.page());
    } else {
      events.record(word(EventLayout.INVALID_PPR_REQUEST, request), request.page());
    }
  }

  private boolean mayAsk(PageRequest request, Settings s) {
    int device = request.requester();
    if (device < 0 || device >= Math.min(s.devices(), DeviceEntries.DEVICES)) {
      return false;
    }
    try {
      DeviceEntry e = devices.find(device, s);
      return e.valid
          && !e.reserved
          && e.asksForPages
          && (request.pasid() < 0 || e.guest && s.guestTables());
    } catch (BusException _) {
      events.hardwareError(
          EventWords.of(EventLayout.DEV_TAB_HARDWARE_ERROR, device, 0) | EventWords.aborted(),
          DeviceEntries.address(device, s));
      return false;
    }
  }

  /// {@return the first word of a record, or of the event, whose fields lie where the record's do}
  private static long word(int code, PageRequest r) {
    long named =
        r.pasid() < 0
            ? 0
            : PageRequestLayout.GN.mask()
                | PageRequestLayout.PASID_LOW.place(r.pasid() & PageRequestLayout.PASID_LOW.max())
                | PageRequestLayout.PASID_HIGH.place(
                    r.pasid() >>> PageRequestLayout.PASID_LOW.width());
    return PageRequestLayout.CODE.place(code)
        | PageRequestLayout.DEVICE.place(r.requester() & PageRequestLayout.DEVICE.max())
        | PageRequestLayout.GROUP.place(r.group())
        | EventWords.flag(PageRequestLayout.LAST, r.last())
        | EventWords.flag(PageRequestLayout.READ, (r.wants() & Translator.READ) != 0)
        | EventWords.flag(PageRequestLayout.WRITE, (r.wants() & Translator.WRITE) != 0)
        | PageRequestLayout.US.mask()
        | named;
  }
}
