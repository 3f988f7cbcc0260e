package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.X86Interrupt;
import java.util.BitSet;

/// The interrupt remapping table of one device id. Callers hold the driver's lock.
///
/// **Source** 48882 revision 3.09, 2.2.5.1 and 2.2.5.2 (entries of 32 and of 128 bits).
final class InterruptTable {
  private static final int LENGTH = 9;

  /// Entries. The index lies where a datum has the delivery mode, of which fixed (0) and arbitrated (1) are remapped; 2048 entries need
  /// Control.NumIntRemapMode.
  static final int ENTRIES = 1 << LENGTH;

  static final Source LIMIT =
      Source.rule(
          "48882 2.2.5: 512 entries, as bits 10:9 of the index are a delivery mode that is not remapped");

  private static final long ALIGNMENT = 128;

  /// A guest's processor, as an entry posts to it.
  ///
  /// @param page where its virtual APIC's backing page lies
  /// @param tag what the log names it by
  record Target(long page, int vector, int tag) {}

  /// One entry, a narrow one in the low word.
  record Entry(long low, long high) {
    static final Entry OFF = new Entry(0, 0);

    static Entry narrow(X86Interrupt to) {
      return new Entry(
          IrteLayout.REMAP_EN.mask()
              | IrteLayout.INT_TYPE.place(to.deliveryMode())
              | IrteLayout.DM.place(to.logical() ? 1 : 0)
              | IrteLayout.DESTINATION.place(to.destination())
              | IrteLayout.VECTOR.place(to.vector()),
          0);
    }

    static Entry wide(X86Interrupt to) {
      long[] words = {
        IrteLayout.WIDE_REMAP_EN.mask()
            | IrteLayout.WIDE_INT_TYPE.place(to.deliveryMode())
            | IrteLayout.WIDE_DM.place(to.logical() ? 1 : 0),
        IrteLayout.WIDE_VECTOR.place(to.vector())
      };
      IrteLayout.WIDE_DESTINATION.set(words, to.destination());
      return new Entry(words[0], words[1]);
    }

    /// {@return an entry in guest mode; while no processor runs the guest, the log is told}
    static Entry guest(Target to, boolean running, long apicId) {
      long[] words = {
        IrteLayout.GUEST_REMAP_EN.mask()
            | IrteLayout.GA_LOG_INTR.mask()
            | (running ? IrteLayout.IS_RUN.mask() : 0)
            | IrteLayout.GUEST_GUEST_MODE.mask()
            | IrteLayout.GA_TAG.place(Integer.toUnsignedLong(to.tag)),
        IrteLayout.GUEST_VECTOR.place(to.vector) | IrteLayout.GUEST_APIC.place(to.page)
      };
      IrteLayout.GUEST_PROCESSOR.set(words, apicId);
      return new Entry(words[0], words[1]);
    }

    boolean isOn() {
      return IrteLayout.WIDE_REMAP_EN.isSet(low);
    }
  }

  private final int device;
  private final boolean wide;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;
  private final boolean atOnce;
  private final BitSet taken = new BitSet();

  private InterruptTable(int device, boolean wide, PhysicalMemory memory, Frames frames) {
    this.device = device;
    this.wide = wide;
    this.memory = memory;
    this.frames = frames;
    this.base = frames.allocate(bytes(), ALIGNMENT);
    try {
      atOnce = !wide || memory.write128(base.value(), 0, 0);
    } catch (RuntimeException failed) {
      free();
      throw failed;
    }
  }

  /// {@return whether an entry that is on can become any other one in one step}
  boolean changesAtOnce() {
    return atOnce;
  }

  /// {@return a table whose entries are all off}
  static InterruptTable create(int device, boolean wide, PhysicalMemory memory, Frames frames) {
    return new InterruptTable(device, wide, memory, frames);
  }

  int device() {
    return device;
  }

  /// {@return the quadword of a device table entry that leads here, with what else it says kept}
  long entry(long before) {
    return before & ~(INT_TAB_LEN.mask() | INT_TAB_ROOT.mask() | INT_CTL.mask())
        | IV.mask()
        | INT_TAB_LEN.place(LENGTH)
        | INT_TAB_ROOT.place(base.value())
        | INT_CTL.place(INT_REMAP);
  }

  void free() {
    frames.free(base, bytes());
  }

  private long bytes() {
    return (long) ENTRIES * size();
  }

  private int size() {
    return wide ? IrteLayout.WIDE_BYTES : IrteLayout.BYTES;
  }

  /// {@return entries that one taking could get}
  int largest(boolean contiguous) {
    if (!contiguous) {
      return ENTRIES - taken.cardinality();
    }
    int largest = 0;
    for (int size = 1; size <= ENTRIES; size <<= 1) {
      largest = block(size) >= 0 ? size : largest;
    }
    return largest;
  }

  /// {@return the lowest free entries; with `contiguous` ones that start at a multiple of their number, since the device puts the message's
  /// number into the low bits of the index}
  int[] take(int count, boolean contiguous) {
    int[] indexes = new int[count];
    int at = contiguous ? block(count) : -1;
    for (int i = 0; i < count; i++) {
      indexes[i] = contiguous ? at + i : taken.nextClearBit(0);
      taken.set(indexes[i]);
    }
    return indexes;
  }

  private int block(int size) {
    for (int at = 0; at + size <= ENTRIES; at += size) {
      int next = taken.nextSetBit(at);
      if (next < 0 || next >= at + size) {
        return at;
      }
    }
    return -1;
  }

  boolean isLast(int[] indexes) {
    return taken.cardinality() == indexes.length;
  }

  void release(int[] indexes) {
    for (int i : indexes) {
      taken.clear(i);
    }
  }

  Entry entry(X86Interrupt to) {
    return wide ? Entry.wide(to) : Entry.narrow(to);
  }

  Entry read(int index) {
    long at = at(index);
    return wide
        ? new Entry(memory.read64(at), memory.read64(at + Long.BYTES))
        : new Entry(Integer.toUnsignedLong(memory.read32(at)), 0);
  }

  /// Writes an entry in one where what changes lies in one word or the memory allows, else by way of one that is off: a message that comes then
  /// raises nothing.
  ///
  /// @param forget makes the IOMMU forget what it may have fetched
  void write(int index, Entry next, Runnable forget) {
    long at = at(index);
    if (!wide) {
      memory.write32(at, (int) next.low);
    } else {
      Entry now = read(index);
      if (now.isOn() && now.low != next.low && now.high != next.high && !atOnce) {
        memory.write64(at, 0);
        memory.publish();
        forget.run();
        now = new Entry(0, now.high);
      }
      put(at, now, next);
    }
    memory.publish();
    forget.run();
  }

  /// Changes of an entry in guest mode which processor runs the guest: IsRun and Destination, which no IOMMU caches. Without a write of both words the
  /// log is told of what comes in between.
  void move(int index, Entry next) {
    long at = at(index);
    Entry now = read(index);
    if (now.low != next.low && now.high != next.high && !atOnce) {
      long stopped = IrteLayout.IS_RUN.with(now.low, 0);
      memory.write64(at, stopped);
      memory.publish();
      now = new Entry(stopped, now.high);
    }
    put(at, now, next);
    memory.publish();
  }

  /// Writes what differs, the word with RemapEn and IsRun last.
  private void put(long at, Entry now, Entry next) {
    if (now.high != next.high && memory.write128(at, next.low, next.high)) {
      return;
    }
    if (now.high != next.high) {
      memory.write64(at + Long.BYTES, next.high);
      memory.publish();
    }
    if (now.low != next.low) {
      memory.write64(at, next.low);
    }
  }

  private long at(int index) {
    return base.value() + (long) index * size();
  }
}
