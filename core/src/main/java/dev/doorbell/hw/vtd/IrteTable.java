package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.IrteLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.InterruptPosting;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.irq.X86MessageLayout;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;

/// The interrupt remapping table of a unit, as the driver writes it. An entry takes messages of one source-id, or of a range of buses. One that is in use changes by one
/// write of its lower half, which has vector and destination.
///
/// **Threads.** Safe for use from many. One lock, taken before the queue's.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 5.1, 6.2.4 (interrupt entry cache), 9.10.
final class IrteTable implements InterruptRemapper {
  /// IRTA_REG.S for the largest table.
  private static final int LARGEST = 15;

  private static final int ENTRIES = 2 << LARGEST;
  private static final int PAGE = 4096;
  private static final long LAST_XAPIC = 0xfe;
  private static final long LAST_X2APIC = 0xffff_fffeL;

  private final String id;
  private final VtdHardware unit;
  private final PhysicalMemory memory;
  private final QueueDriver queue;
  private final boolean posts;
  private final boolean extended;
  private final boolean keepsAbsent;
  private final long base;
  private final BitSet taken = new BitSet(ENTRIES);
  private final ReentrantLock lock = new ReentrantLock();

  private IrteTable(String id, VtdHardware unit, QueueDriver queue, Modes modes) {
    this.id = id;
    this.unit = unit;
    this.memory = unit.memory();
    this.queue = queue;
    this.posts = modes.posts();
    this.extended = modes.extended();
    this.keepsAbsent = modes.keepsAbsent();
    this.base = allocate(unit.frames());
  }

  /// How the unit is.
  ///
  /// @param extended whether destinations have 32 bits
  /// @param keepsAbsent whether it keeps what is not present (CAP_REG.CM)
  /// @param posts whether it posts interrupts (CAP_REG.PI)
  record Modes(boolean extended, boolean keepsAbsent, boolean posts) {}

  private static long allocate(Frames frames) {
    return frames.allocate((long) ENTRIES * BYTES, PAGE).value();
  }

  /// {@return an empty table that the unit looks at}
  ///
  /// @param rollback is told how to stop it; memory that the unit does not let go of stays taken
  static IrteTable start(
      VtdHardware hardware, VtdPort port, QueueDriver queue, Modes modes, Rollback rollback) {
    IrteTable t = new IrteTable(port.id, hardware, queue, modes);
    rollback.add(() -> {
      port.command(VtdRegisters.IRE, false, VtdRegisters.IRES);
      hardware.frames().free(new Pa(t.base), (long) ENTRIES * BYTES);
    });
    port.set(
        VtdRegisters.IRTADDR_REG,
        VtdRegisters.IRTA.place(t.base)
            | (modes.extended() ? VtdRegisters.EIME.mask() : 0)
            | VtdRegisters.SIZE.place(LARGEST));
    port.command(VtdRegisters.SIRTP, true, VtdRegisters.IRTPS);
    queue.allEntries();
    port.command(VtdRegisters.CFI, false, VtdRegisters.CFIS);
    port.command(VtdRegisters.IRE, true, VtdRegisters.IRES);
    return t;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public boolean isolated() {
    return true;
  }

  @Override
  public long lastDestination() {
    return extended ? LAST_X2APIC : LAST_XAPIC;
  }

  @Override
  public Optional<InterruptPosting> posting() {
    return posts ? Optional.of(() -> new PostedRequests(unit, extended)) : Optional.empty();
  }

  @Override
  public String postsNot() {
    return "CAP_REG.PI of %s is 0".formatted(id);
  }

  @Override
  public int free() {
    lock.lock();
    try {
      return ENTRIES - taken.cardinality();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public RemapEntries allocate(MsiSource source, int count, boolean contiguous) {
    lock.lock();
    try {
      int[] indexes = contiguous ? run(count) : some(count);
      if (indexes.length < count) {
        throw new VectorsExhausted(
            source,
            id,
            count,
            contiguous ? longestRun() : ENTRIES - taken.cardinality(),
            Source.rule("IRTA_REG.S of %s: %d entries".formatted(id, ENTRIES)));
      }
      for (int i : indexes) {
        taken.set(i);
      }
      return new Entries(verified(source), indexes, contiguous);
    } finally {
      lock.unlock();
    }
  }

  /// {@return whom an entry takes messages of: one source-id, or the buses that a bridge's aliases lie on}
  private static long verified(MsiSource source) {
    long id = source.deviceId() & SID.max();
    if (source.lastBus().isEmpty()) {
      return SID.place(id) | SVT.place(SVT_SID);
    }
    long first = id >>> Byte.SIZE << Byte.SIZE;
    return SID.place(first | source.lastBus().getAsInt()) | SVT.place(SVT_BUS);
  }

  private int[] some(int count) {
    int[] out = new int[Math.min(count, ENTRIES - taken.cardinality())];
    int at = 0;
    for (int i = 0; i < out.length; i++) {
      at = taken.nextClearBit(at);
      out[i] = at++;
    }
    return out;
  }

  private int[] run(int count) {
    for (int first = 0; first + count <= ENTRIES; first += count) {
      int used = taken.nextSetBit(first);
      if (used < 0 || used >= first + count) {
        return java.util.stream.IntStream.range(first, first + count).toArray();
      }
    }
    return new int[0];
  }

  private int longestRun() {
    for (int count = ENTRIES; count > 0; count /= 2) {
      if (run(count).length == count) {
        return count;
      }
    }
    return 0;
  }

  /// Entries of one device.
  private final class Entries implements RemapEntries {
    private final long verified;
    private final int[] indexes;
    private final boolean shared;

    /// @param verified SID and SVT
    Entries(long verified, int[] indexes, boolean shared) {
      this.verified = verified;
      this.indexes = indexes;
      this.shared = shared;
    }

    /// Messages of one address tell their entries apart by the datum, which counts from the handle.
    @Override
    public long address(int index) {
      long handle = indexes[shared ? 0 : index];
      return FEE.place(X86MessageLayout.WINDOW)
          | HANDLE_LOW.place(handle & HANDLE_LOW.max())
          | HANDLE_HIGH.place(handle >>> HANDLE_LOW.width())
          | FORMAT.mask()
          | SHV.mask();
    }

    @Override
    public int data(int index) {
      return shared ? (int) SUBHANDLE.place(index) : 0;
    }

    @Override
    public OptionalInt entry(int index) {
      return OptionalInt.of(indexes[index]);
    }

    @Override
    public boolean keepsMessage() {
      return true;
    }

    @Override
    public void route(int index, X86Interrupt to) {
      lock.lock();
      try {
        put(index, low(to), 0);
      } finally {
        lock.unlock();
      }
    }

    /// Descriptors below 4 GiB leave the upper half as a remapped entry has it; for others both halves change at once.
    @Override
    public void post(int index, PostedInterrupt to) {
      long[] words = {
        POSTED_P.mask()
            | POSTED_IM.mask()
            | POSTED_V.place(to.vector())
            | (to.urgent() ? URG.mask() : 0),
        0
      };
      if (to.descriptor() % PostedLayout.BYTES != 0) {
        throw new IllegalArgumentException(
            "a descriptor lies at a multiple of %d: %s".formatted(PostedLayout.BYTES, to));
      }
      DESCRIPTOR.set(words, to.descriptor());
      lock.lock();
      try {
        put(index, words[0], words[1]);
      } finally {
        lock.unlock();
      }
    }

    /// Writes an entry in one.
    ///
    /// @param more what the upper half has beside the source-id
    private void put(int index, long low, long more) {
      long at = at(index);
      long before = memory.read64(at);
      long beforeHigh = memory.read64(at + Long.BYTES);
      boolean present = P.isSet(before);
      long high = verified | more;
      if (!present) {
        memory.write64(at + Long.BYTES, high);
        memory.publish();
      } else if (high != beforeHigh) {
        writeBoth(index, before, beforeHigh, low, high);
        return;
      }
      write(index, before, low, present || keepsAbsent);
    }

    private void writeBoth(int index, long before, long beforeHigh, long low, long high) {
      long at = at(index);
      if (!memory.write128(at, low, high)) {
        throw new IllegalArgumentException(
            "an entry of %s cannot change to a descriptor above 4 GiB in one step: this machine's memory has no write of 16 bytes"
                .formatted(id));
      }
      memory.publish();
      try {
        queue.entry(indexes[index]);
      } catch (RuntimeException failed) {
        memory.write128(at, before, beforeHigh);
        memory.publish();
        throw failed;
      }
    }

    private long low(X86Interrupt to) {
      long destination = extended ? DST.place(to.destination()) : XAPIC_DST.place(to.destination());
      return P.mask()
          | (to.logical() ? DM.mask() : 0)
          | DLM.place(to.deliveryMode())
          | V.place(to.vector())
          | destination;
    }

    @Override
    public void block(int index) {
      lock.lock();
      try {
        long before = memory.read64(at(index));
        if (P.isSet(before)) {
          write(index, before, 0, true);
        }
      } finally {
        lock.unlock();
      }
    }

    /// Changes an entry, and takes the change back when the unit does not drop what it kept.
    private void write(int index, long before, long next, boolean kept) {
      long at = at(index);
      memory.write64(at, next);
      memory.publish();
      if (kept) {
        try {
          queue.entry(indexes[index]);
        } catch (RuntimeException failed) {
          memory.write64(at, before);
          memory.publish();
          throw failed;
        }
      }
    }

    private long at(int index) {
      return base + (long) indexes[index] * BYTES;
    }

    @Override
    public void free() {
      for (int i = 0; i < indexes.length; i++) {
        block(i);
      }
      lock.lock();
      try {
        for (int i : indexes) {
          memory.write64(base + (long) i * BYTES + Long.BYTES, 0);
          taken.clear(i);
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
