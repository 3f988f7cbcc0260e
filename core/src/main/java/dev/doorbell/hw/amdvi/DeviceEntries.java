package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.PhysicalMemory;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The device table entries that a model has fetched. They stay until INVALIDATE_DEVTAB_ENTRY or INVALIDATE_IOMMU_ALL. A look-up that finds
/// one takes no lock and allocates nothing.
final class DeviceEntries {
  /// Device ids of 16 bits.
  static final int DEVICES = 0x10000;

  private final PhysicalMemory memory;
  private final DeviceEntry.Reserved reserved;
  private final AtomicReferenceArray<@Nullable DeviceEntry> entries =
      new AtomicReferenceArray<>(DEVICES);
  private volatile long generation;

  DeviceEntries(PhysicalMemory memory, AmdViFeatures features) {
    this.memory = memory;
    this.reserved = DeviceEntry.Reserved.of(features);
  }

  /// {@return a device's entry}
  ///
  /// @throws dev.doorbell.bus.BusException when it cannot be read
  DeviceEntry find(int device, Settings settings) {
    DeviceEntry known = entries.get(device);
    return known != null ? known : fetch(device, settings);
  }

  static long address(int device, Settings settings) {
    return settings.deviceTable() + (long) device * DteLayout.BYTES;
  }

  private DeviceEntry fetch(int device, Settings settings) {
    long before = generation;
    long at = address(device, settings);
    long[] access = new long[2];
    memory.read128(at, access);
    DeviceEntry entry =
        new DeviceEntry(access[0], access[1], memory.read64(at + 2L * Long.BYTES), reserved);
    synchronized (this) {
      // What was read before an invalidation may be what it was to remove.
      if (generation == before) {
        entries.set(device, entry);
      }
    }
    return entry;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forget(int device) {
    generation = generation + 1;
    entries.set(device, null);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forgetAll() {
    generation = generation + 1;
    for (int i = 0; i < DEVICES; i++) {
      if (entries.getPlain(i) != null) {
        entries.set(i, null);
      }
    }
  }
}
