package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.PhysicalMemory;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The interrupt remapping table entries that a model has fetched, by device and index. They stay until INVALIDATE_INTERRUPT_TABLE or
/// INVALIDATE_IOMMU_ALL, whatever became of the device's entry meanwhile. A look-up that finds one takes no lock and allocates nothing.
final class InterruptEntries {
  private static final int MOST = 1 << DteLayout.MOST_INT_TAB_LEN;

  private final PhysicalMemory memory;
  private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable InterruptEntry>>
      tables = new AtomicReferenceArray<>(DeviceEntries.DEVICES);
  private volatile long generation;

  InterruptEntries(PhysicalMemory memory) {
    this.memory = memory;
  }

  /// {@return an entry}
  ///
  /// @throws dev.doorbell.bus.BusException when it cannot be read
  InterruptEntry find(int device, DeviceEntry entry, int index, Settings s) {
    AtomicReferenceArray<@Nullable InterruptEntry> table = tables.get(device);
    InterruptEntry known = table == null ? null : table.get(index);
    return known != null ? known : fetch(device, entry, index, s);
  }

  private InterruptEntry fetch(int device, DeviceEntry entry, int index, Settings s) {
    long before = generation;
    InterruptEntry fresh;
    if (s.wide()) {
      long[] words = new long[2];
      memory.read128(address(entry, index, s), words);
      fresh = InterruptEntry.wide(words[0], words[1], s);
    } else {
      fresh =
          InterruptEntry.narrow(Integer.toUnsignedLong(memory.read32(address(entry, index, s))));
    }
    keep(device, index, fresh, before);
    return fresh;
  }

  static long address(DeviceEntry entry, int index, Settings s) {
    return entry.interruptTable
        + (long) index * (s.wide() ? IrteLayout.WIDE_BYTES : IrteLayout.BYTES);
  }

  private synchronized void keep(int device, int index, InterruptEntry fresh, long before) {
    if (generation != before) {
      return;
    }
    AtomicReferenceArray<@Nullable InterruptEntry> table = tables.get(device);
    if (table == null) {
      table = new AtomicReferenceArray<>(MOST);
      tables.set(device, table);
    }
    table.set(index, fresh);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forget(int device) {
    generation = generation + 1;
    tables.set(device, null);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate")
  synchronized void forgetAll() {
    generation = generation + 1;
    for (int i = 0; i < DeviceEntries.DEVICES; i++) {
      if (tables.getPlain(i) != null) {
        tables.set(i, null);
      }
    }
  }
}
