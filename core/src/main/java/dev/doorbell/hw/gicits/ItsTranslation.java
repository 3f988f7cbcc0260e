package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.QemuItsTables.*;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.LpiPort;
import java.lang.invoke.VarHandle;

/// The ITS's tables and the look-up of one message in them, in the format `qemu`.
///
/// The first message of an event reads the tables from memory, without a lock, and all of them in one state: `version` is odd while a command changes
/// them, and another one afterwards. A message that meets a change looks again under the monitor. What was found is kept ({@link ItsRoutes}) until the
/// next change; whatever is written to the tables in memory meanwhile is not seen, as the architecture allows. After a change the gate of the
/// Redistributors is drained, so that nothing found in old tables is delivered after the command that changed them.
///
/// **Source**: IHI 0069 H, 5.2.
final class ItsTranslation {
  private static final long NO_ROUTE = -1;
  private static final long FIRST_VERSION = 2;

  private final ItsConfig config;
  private final PhysicalMemory memory;
  private final LpiPort port;
  private final long[] ownCollections;
  private volatile ItsTableModel devices;
  private volatile ItsTableModel collections;
  private final ItsRoutes routes = new ItsRoutes();
  private volatile long version = FIRST_VERSION;

  ItsTranslation(ItsConfig config, PhysicalMemory memory, LpiPort port) {
    this.config = config;
    this.memory = memory;
    this.port = port;
    ownCollections = new long[config.hardwareCollections()];
    devices = new ItsTableModel(memory, 0);
    collections = new ItsTableModel(memory, 0);
  }

  /// Changes the tables, or makes what messages find in them forgotten. One caller at a time.
  ///
  /// @throws BusErrorException when the change does; what messages found before it is forgotten all the same
  void change(Runnable change) {
    try {
      step(change);
    } finally {
      if (ItsRoutes.isLast(version)) {
        step(routes::clear);
      }
    }
  }

  private void step(Runnable change) {
    try {
      turned(change);
    } finally {
      port.gate().drain();
    }
  }

  private synchronized void turned(Runnable change) {
    turn();
    try {
      change.run();
    } finally {
      turn();
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the monitor
  private void turn() {
    VarHandle.fullFence();
    version = version + 1;
    VarHandle.fullFence();
  }

  /// Within {@link #change}.
  void setDevices(long baser) {
    devices = new ItsTableModel(memory, baser);
  }

  /// Within {@link #change}.
  void setCollections(long baser) {
    collections = new ItsTableModel(memory, baser);
  }

  /// Delivers a message; inside the port's gate.
  ///
  /// {@return whether it was translated; a table outside memory translates nothing}
  boolean deliver(long deviceId, long eventId) {
    long begun = version;
    long route = routes.find(deviceId, eventId);
    if (!ItsRoutes.isOf(route, begun)) {
      route = look(deviceId, eventId, begun);
      if (route == NO_ROUTE) {
        return false;
      }
    }
    port.arrive(ItsRoutes.target(route), ItsRoutes.intid(route));
    return true;
  }

  private long look(long deviceId, long eventId, long begun) {
    long route = route(deviceId, eventId);
    VarHandle.loadLoadFence();
    if ((begun & 1) == 0 && version == begun) {
      return kept(deviceId, eventId, begun, route);
    }
    synchronized (this) {
      return kept(deviceId, eventId, version, route(deviceId, eventId));
    }
  }

  private long kept(long deviceId, long eventId, long edition, long route) {
    if (route != NO_ROUTE) {
      routes.keep(deviceId, eventId, edition, route);
    }
    return route;
  }

  // Target and INTID, or NO_ROUTE.
  private long route(long deviceId, long eventId) {
    try {
      long ite = iteAddress(deviceId, eventId);
      if (ite == ItsTableModel.NOWHERE) {
        return NO_ROUTE;
      }
      long word0 = memory.read(ite + ITE_WORD0, Integer.BYTES);
      if (!ITE_VALID.isSet(word0) || !ITE_PHYSICAL.isSet(word0)) {
        return NO_ROUTE;
      }
      int target = target(ITE_ICID.get(memory.read(ite + ITE_WORD1, Integer.BYTES)));
      return target < 0 ? NO_ROUTE : ItsRoutes.of(target, ITE_INTID.get(word0));
    } catch (BusErrorException _) {
      return NO_ROUTE;
    }
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

  /// Within {@link #change}.
  void setCollection(long icid, long cte) {
    if (icid < ownCollections.length) {
      ownCollections[(int) icid] = cte;
    } else {
      memory.write(collections.entry(icid), cte, CTE_BYTES);
    }
  }
}
