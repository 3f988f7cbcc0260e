package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.EventLayout.*;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.PageCache.Page;
import org.jspecify.annotations.Nullable;

/// The way of a memory access through a model: device table entry, exclusion range, guest and host page tables, and the record of what went wrong.
///
/// **Source** 48882 revision 3.09, 2.1.3 (access control), 2.2.2 (device table), 2.5 (events).
final class DmaPath {
  private final AmdViFeatures features;
  private final DeviceEntries devices;
  private final EventLog events;
  private final AccessFaults faults;
  private final HostTables host;
  private final GuestTables guest;

  DmaPath(
      AmdViFeatures features,
      PhysicalMemory memory,
      DeviceEntries devices,
      PageCache pages,
      EventLog events) {
    this.features = features;
    this.devices = devices;
    this.events = events;
    faults = new AccessFaults(events);
    host = new HostTables(memory, pages, faults);
    guest = new GuestTables(memory, pages, host, faults);
  }

  /// {@return a device's entry; null when there is none to go by, which has been logged}
  @Nullable DeviceEntry entry(int device, long address, int access, boolean interrupt, Settings s) {
    if (device < 0 || device >= Math.min(s.devices(), DeviceEntries.DEVICES)) {
      events.record(
          EventWords.of(IO_PAGE_FAULT, device & (DeviceEntries.DEVICES - 1), 0)
              | EventWords.flag(I, interrupt)
              | AccessFaults.write(access),
          address);
      return null;
    }
    try {
      return devices.find(device, s);
    } catch (BusException _) {
      events.hardwareError(
          EventWords.of(DEV_TAB_HARDWARE_ERROR, device, 0)
              | EventWords.flag(I, interrupt)
              | AccessFaults.write(access)
              | EventWords.aborted(),
          DeviceEntries.address(device, s));
      return null;
    }
  }

  /// {@return the physical address, or FAULT}
  ///
  /// @param pasid of an access that has one; -1 else
  long translate(int device, int pasid, long iova, int access, Settings s) {
    DeviceEntry e = entry(device, iova, access, false, s);
    if (e == null) {
      return Translator.FAULT;
    }
    if (!e.valid) {
      return pasid < 0 ? iova : fault(e, device, pasid, iova, AccessFaults.write(access));
    }
    if (isIllegal(e, s)) {
      faults.illegal(
          device, iova, AccessFaults.write(access) | EventWords.flag(RZ, isReserved(e, s)));
      return Translator.FAULT;
    }
    if (pasid < 0 && s.excludes(e, iova)) {
      return iova;
    }
    if (!e.translates || pasid >= 0 && !e.guest) {
      return fault(e, device, pasid, iova, AccessFaults.write(access));
    }
    if ((access & ~e.access) != 0) {
      return fault(e, device, pasid, iova, AccessFaults.write(access) | PR.mask() | PE.mask());
    }
    @Nullable Page page;
    if (e.guest && (pasid >= 0 || e.guestAlone)) {
      page = guest.find(e, device, Math.max(pasid, 0), iova, access);
    } else if (e.levels == DteLayout.MODE_NONE) {
      return iova;
    } else {
      page = host.find(e, device, iova, access);
    }
    return page == null ? Translator.FAULT : page.translate(iova);
  }

  /// {@return whether an entry asks for what cannot be, or for guest tables while Control has them off}
  private boolean isIllegal(DeviceEntry e, Settings s) {
    return isReserved(e, s)
        || e.translates && e.levels > features.levels()
        || e.guest
            && (e.pasidLevels > features.pasidLevels() || e.guestLevels > features.guestLevels());
  }

  private static boolean isReserved(DeviceEntry e, Settings s) {
    return e.reserved || e.guest && !s.guestTables();
  }

  private long fault(DeviceEntry e, int device, int pasid, long iova, long flags) {
    faults.page(e, device, pasid, iova, flags);
    return Translator.FAULT;
  }
}
