package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.OptionalLong;

/// The device table as its driver writes it: an entry for each of the 65,536 device ids. Callers hold the driver's lock.
///
/// The DMA half of an entry is written in one where memory can do that, else by way of an entry that lets nothing pass, so that the IOMMU never
/// sees the root of one domain with the id of another. What interrupts use lies in a quadword of its own.
///
/// **Source** 48882 revision 3.09, 2.2.2 Device Table.
final class DeviceTable {
  /// Device ids.
  static final int DEVICES = 0x10000;

  static final long TABLE = (long) DEVICES * BYTES;

  /// V and TV without IR, IW and tables: every access ends with an event.
  private static final long BLOCKED = V.mask() | TV.mask();

  private static final long PASSING = BLOCKED | IR.mask() | IW.mask();

  /// IV with IntCtl 00: every interrupt ends with an event.
  static final long NO_INTERRUPTS = IV.mask() | INT_CTL.place(INT_ABORT);

  /// The half of an entry that DMA uses.
  record Dma(long w0, long w1) {
    static final Dma BLOCKING = new Dma(BLOCKED, 0);
    static final Dma BYPASSING = new Dma(PASSING, 0);

    /// Guest tables serve accesses without a PASID alone, as PASID 0, with nothing of the host's behind them.
    ///
    /// @param requests whether the device may ask for pages
    static Dma of(AmdViAddressSpace space, boolean requests) {
      long domain = DOMAIN_ID.place(space.domain());
      long low = requests ? PASSING | PPR.mask() : PASSING;
      OptionalLong guest = space.guestRoot();
      if (guest.isEmpty()) {
        return new Dma(low | MODE.place(IoPages.LEVELS) | ROOT.place(space.root()), domain);
      }
      long[] words = {low | GV.mask() | GIOV.mask(), domain};
      GCR3.set(words, guest.getAsLong());
      return new Dma(words[0], words[1]);
    }
  }

  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;

  private DeviceTable(PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.base = frames.allocate(TABLE, AmdViRegisters.DEV_TAB_UNIT);
  }

  /// {@return a table in which every device is blocked}
  ///
  /// @param remapping whether its interrupts are blocked, too; else they pass
  static DeviceTable create(PhysicalMemory memory, Frames frames, boolean remapping) {
    DeviceTable t = new DeviceTable(memory, frames);
    try {
      for (int device = 0; device < DEVICES; device++) {
        memory.write64(t.at(device), BLOCKED);
        if (remapping) {
          memory.write64(t.at(device) + 2L * Long.BYTES, NO_INTERRUPTS);
        }
      }
      memory.publish();
    } catch (RuntimeException failed) {
      t.free();
      throw failed;
    }
    return t;
  }

  Pa base() {
    return base;
  }

  void free() {
    frames.free(base, TABLE);
  }

  Dma dma(int device) {
    return new Dma(memory.read64(at(device)), memory.read64(at(device) + Long.BYTES));
  }

  /// Writes a DMA half.
  ///
  /// @param forget makes the IOMMU forget the entry that it may have fetched
  void write(int device, Dma dma, Runnable forget) {
    long at = at(device);
    if (!memory.write128(at, dma.w0, dma.w1)) {
      memory.write64(at, BLOCKED);
      memory.publish();
      forget.run();
      memory.write64(at + Long.BYTES, dma.w1);
      memory.publish();
      memory.write64(at, dma.w0);
    }
    memory.publish();
    forget.run();
  }

  long interrupts(int device) {
    return memory.read64(at(device) + 2L * Long.BYTES);
  }

  /// Writes the quadword that interrupts use.
  void writeInterrupts(int device, long word) {
    memory.write64(at(device) + 2L * Long.BYTES, word);
    memory.publish();
  }

  private long at(int device) {
    return base.value() + (long) device * BYTES;
  }
}
