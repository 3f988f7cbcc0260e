package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.Map;

/// The device directory as the driver builds it: tables are made when a device of theirs is first used. Not safe for use from several threads at
/// once: the driver holds a lock.
///
/// Contexts that nobody set are not valid, and every access of their devices faults.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.
final class DeviceTable {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final int levels;
  private final boolean extended;
  private final Pa root;

  /// Tables below the root, by level and the bits of device_id above it.
  private final Map<Long, Pa> below = new HashMap<>();

  DeviceTable(PhysicalMemory memory, Frames frames, int levels, boolean extended) {
    this.memory = memory;
    this.frames = frames;
    this.levels = levels;
    this.extended = extended;
    this.root = frames.allocate(PAGE_BYTES, PAGE_BYTES);
  }

  Pa root() {
    return root;
  }

  int deviceIdBits() {
    return DirectoryLayout.deviceIdBits(levels, extended);
  }

  /// {@return where a device's context lies}
  ///
  /// A table that is made is whole before it is linked, and kept for the next time where that fails; nothing that is valid is changed, so nothing has to be invalidated.
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for a table
  long context(int deviceId) {
    long table = root.value();
    for (int level = levels - 1; level > 0; level--) {
      long slot = table + (long) index(deviceId, level, extended) * POINTER_BYTES;
      int above = deviceId >>> DirectoryLayout.deviceIdBits(level, extended);
      long key = (long) above * levels + level;
      Pa next = below.get(key);
      if (next == null) {
        next = frames.allocate(PAGE_BYTES, PAGE_BYTES);
        below.put(key, next);
      }
      long link = POINTER_V.mask() | POINTER_PPN.place(ppn(next.value()));
      if (memory.read64(slot) != link) {
        memory.publish();
        memory.write64(slot, link);
      }
      table = next.value();
    }
    return table + (long) index(deviceId, 0, extended) * contextBytes(extended);
  }

  /// {@return a context's doublewords}
  long[] read(long at) {
    long[] words = new long[contextBytes(extended) / Long.BYTES];
    for (int i = 0; i < words.length; i++) {
      words[i] = memory.read64(at + (long) i * Long.BYTES);
    }
    return words;
  }

  /// {@return a context that lets a device through}
  ///
  /// @param iohgatp `iohgatp`
  /// @param fsc `fsc`
  long[] passing(long iohgatp, long ta, long fsc) {
    long[] words = new long[contextBytes(extended) / Long.BYTES];
    words[TC_AT / Long.BYTES] = TC_V.mask();
    words[IOHGATP_AT / Long.BYTES] = iohgatp;
    words[TA_AT / Long.BYTES] = ta;
    words[FSC_AT / Long.BYTES] = fsc;
    return words;
  }

  /// {@return a context that is not valid}
  long[] blocked() {
    return new long[contextBytes(extended) / Long.BYTES];
  }

  /// Changes a context. It is not valid in between, and forgotten before its other words change: the hardware may read it at any time.
  ///
  /// @param forget invalidates what the hardware has of it
  void write(long at, long[] words, Runnable forget) {
    memory.write64(at + TC_AT, 0);
    memory.publish();
    forget.run();
    for (int i = words.length - 1; i > 0; i--) {
      memory.write64(at + (long) i * Long.BYTES, words[i]);
    }
    memory.publish();
    memory.write64(at + TC_AT, words[TC_AT / Long.BYTES]);
    memory.publish();
  }

  /// Gives all tables back. The IOMMU must not use them any more.
  void free() {
    below.values().forEach(t -> frames.free(t, PAGE_BYTES));
    below.clear();
    frames.free(root, PAGE_BYTES);
  }
}
