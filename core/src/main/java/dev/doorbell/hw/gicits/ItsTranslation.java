package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.QemuItsTables.*;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.LpiPort;
import java.util.concurrent.locks.ReentrantLock;

/// The ITS's tables and the look-up of one message in them, in the format `qemu`.
///
/// Every message reads the tables from memory. Devices are spread over locks by DeviceID: a message holds one, a command about a device
/// holds the same, and a change that concerns all devices holds all, so that nothing found in old tables is delivered after the command
/// that changed them.
///
/// **Source**: IHI 0069 H, 5.2.
final class ItsTranslation {
  private static final int STRIPES = 64;

  private final ItsConfig config;
  private final PhysicalMemory memory;
  private final LpiPort port;
  private final ReentrantLock[] stripes = new ReentrantLock[STRIPES];
  private final long[] ownCollections;
  private ItsTableModel devices;
  private ItsTableModel collections;

  ItsTranslation(ItsConfig config, PhysicalMemory memory, LpiPort port) {
    this.config = config;
    this.memory = memory;
    this.port = port;
    ownCollections = new long[config.hardwareCollections()];
    devices = new ItsTableModel(memory, 0);
    collections = new ItsTableModel(memory, 0);
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new ReentrantLock();
    }
  }

  ReentrantLock lockOf(long deviceId) {
    return stripes[(int) (deviceId % STRIPES)];
  }

  void lockAll() {
    for (ReentrantLock stripe : stripes) {
      stripe.lock();
    }
  }

  void unlockAll() {
    for (ReentrantLock stripe : stripes) {
      stripe.unlock();
    }
  }

  /// With all locks held.
  void setDevices(long baser) {
    devices = new ItsTableModel(memory, baser);
  }

  /// With all locks held.
  void setCollections(long baser) {
    collections = new ItsTableModel(memory, baser);
  }

  /// Delivers a message; with the device's lock held.
  ///
  /// {@return whether it was translated}
  ///
  /// @throws dev.doorbell.bus.BusErrorException when a table lies outside memory
  boolean deliver(long deviceId, long eventId) {
    long ite = iteAddress(deviceId, eventId);
    if (ite == ItsTableModel.NOWHERE) {
      return false;
    }
    long word0 = memory.read(ite + ITE_WORD0, Integer.BYTES);
    if (!ITE_VALID.isSet(word0) || !ITE_PHYSICAL.isSet(word0)) {
      return false;
    }
    int target = target(ITE_ICID.get(memory.read(ite + ITE_WORD1, Integer.BYTES)));
    if (target < 0) {
      return false;
    }
    port.setPending(target, ITE_INTID.getInt(word0));
    return true;
  }

  /// {@return the address of a DTE, or {@link ItsTableModel#NOWHERE}}
  long dteAddress(long deviceId) {
    return deviceId >>> config.deviceIdBits() != 0
        ? ItsTableModel.NOWHERE
        : devices.entry(deviceId);
  }

  /// {@return a device's table entry, 0 when it has none}
  long dte(long deviceId) {
    long address = dteAddress(deviceId);
    return address == ItsTableModel.NOWHERE ? 0 : memory.read(address, DTE_BYTES);
  }

  /// {@return the address of an event's entry of a mapped device, or {@link ItsTableModel#NOWHERE}}
  long iteAddress(long deviceId, long eventId) {
    long dte = dte(deviceId);
    if (!DTE_VALID.isSet(dte) || eventId >>> (DTE_SIZE.get(dte) + 1) != 0) {
      return ItsTableModel.NOWHERE;
    }
    return ittAddress(dte) + eventId * ITE_BYTES;
  }

  /// {@return whether a collection of this number can exist}
  boolean hasCollection(long icid) {
    return icid < ownCollections.length || collections.entry(icid) != ItsTableModel.NOWHERE;
  }

  /// {@return whether the table is large enough for a collection of this number, though its page may not be there yet}
  boolean isCollectionInRange(long icid) {
    return icid < ownCollections.length || collections.isInRange(icid);
  }

  /// {@return a collection's processor number, or -1 when it is not mapped}
  int target(long icid) {
    long cte;
    if (icid < ownCollections.length) {
      cte = ownCollections[(int) icid];
    } else {
      long address = collections.entry(icid);
      cte = address == ItsTableModel.NOWHERE ? 0 : memory.read(address, CTE_BYTES);
    }
    return CTE_VALID.isSet(cte) ? CTE_RDBASE.getInt(cte) : -1;
  }

  /// With all locks held.
  void setCollection(long icid, long cte) {
    if (icid < ownCollections.length) {
      ownCollections[(int) icid] = cte;
    } else {
      memory.write(collections.entry(icid), cte, CTE_BYTES);
    }
  }
}
