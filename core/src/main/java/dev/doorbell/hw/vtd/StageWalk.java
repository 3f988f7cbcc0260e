package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PagingLayout.*;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;

/// The way of one access through the tables that a PASID table entry names, of the first stage, the second, or the first by the second. Sets A
/// and D where the access may pass. Of one access, and so of one thread.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.6 (first stage), 3.7 (second stage), 3.8 (nested), 9.7, 9.8.
final class StageWalk {
  private static final int LEVEL_MASK = (1 << INDEX_BITS) - 1;
  private static final int MOST_LEVELS = 5;

  /// Bit 12 of a large page of the first stage is PAT, and no address.
  private static final long PAT = 1L << PAGE_BITS;

  private final VtdFeatures features;
  private final PhysicalMemory memory;
  private final PasidCaches.Entry entry;
  private final boolean supervisor;
  private VtdFault fault = VtdFault.SM_FIRST_NOT_PRESENT;
  private long output;
  private int shift;
  private boolean readable = true;
  private boolean write;

  /// @param supervisor whether the access is the supervisor's
  StageWalk(
      VtdFeatures features, PhysicalMemory memory, PasidCaches.Entry entry, boolean supervisor) {
    this.features = features;
    this.memory = memory;
    this.entry = entry;
    this.supervisor = supervisor;
  }

  /// Walks. {@return whether the access passes}
  boolean run(long address, boolean writes) {
    write = writes;
    return entry.hasFirst() ? first(address) : second(address, writes);
  }

  /// {@return why it does not pass}
  VtdFault fault() {
    return fault;
  }

  long output() {
    return output;
  }

  /// {@return bits of an address within the smallest page on the way}
  int shift() {
    return shift;
  }

  /// {@return whether later reads may take the same way}
  boolean keepsReadable() {
    return readable;
  }

  /// {@return whether later writes may take the same way without looking at the tables: D is set then}
  boolean keepsWritable() {
    return write;
  }

  private boolean stop(VtdFault because) {
    fault = because;
    return false;
  }

  private static int shift(int level) {
    return PAGE_BITS + (level - 1) * INDEX_BITS;
  }

  private static int width(int levels) {
    return PAGE_BITS + levels * INDEX_BITS;
  }

  private boolean first(long address) {
    int levels = entry.firstLevels();
    long above = address >> width(levels) - 1;
    if (above != 0 && above != -1) {
      return stop(VtdFault.SM_NOT_CANONICAL);
    }
    long[] slots = new long[MOST_LEVELS + 1];
    long[] entries = new long[MOST_LEVELS + 1];
    boolean writable = true;
    long table = entry.first();
    for (int level = levels; ; level--) {
      boolean top = level == levels;
      long slot = table + (address >>> shift(level) & LEVEL_MASK) * BYTES;
      if (entry.isNested() && !reach(slot, top)) {
        return false;
      }
      slots[level] = slot;
      long e;
      try {
        e = memory.read64(entry.isNested() ? output : slot);
        entries[level] = e;
      } catch (BusErrorException broken) {
        return stop(top ? VtdFault.SM_FIRST_ROOT_ACCESS : VtdFault.SM_FIRST_ACCESS);
      }
      if (!P.isSet(e)) {
        return stop(VtdFault.SM_FIRST_NOT_PRESENT);
      }
      boolean page = level == 1 || FS_PS.isSet(e);
      if (page && isReservedFirst(e, level)) {
        return stop(VtdFault.SM_FIRST_RESERVED);
      }
      if (!supervisor && !US.isSet(e)) {
        return stop(VtdFault.SM_USER);
      }
      writable &= RW.isSet(e);
      if (page) {
        boolean excused = supervisor && !entry.protectsFromSupervisor();
        if (write && !writable && !excused) {
          return stop(VtdFault.SM_WRITE);
        }
        return mark(slots, entries, level, levels) && last(address, e, level);
      }
      table = FS_ADDRESS.get(e);
    }
  }

  private boolean isReservedFirst(long e, int level) {
    boolean large =
        level == 1
            || level == 2
            || level == LARGEST_PAGE_LEVEL && VtdRegisters.FS1GP.isSet(features.cap());
    long within = (1L << shift(level)) - 1 & ~PAT;
    return !large || level > 1 && (FS_ADDRESS.get(e) & within) != 0;
  }

  /// The first stage's own tables lie where the second stage says.
  private boolean reach(long slot, boolean top) {
    if (second(slot, false)) {
      return true;
    }
    return switch (fault) {
      case SM_SECOND_BEYOND_WIDTH -> stop(VtdFault.SM_NESTED_BEYOND_WIDTH);
      case SM_SECOND_PERMISSION, SM_READ ->
          stop(top ? VtdFault.SM_NESTED_ROOT_READ : VtdFault.SM_NESTED_READ);
      default -> false;
    };
  }

  /// Sets A on the way and D at its end, where they are not set. Of nested tables that is a write, which the second stage has to allow.
  private boolean mark(long[] slots, long[] entries, int last, int levels) {
    for (int level = levels; level >= last; level--) {
      long bits = FS_A.mask() | (write && level == last ? FS_D.mask() : 0);
      if ((entries[level] & bits) == bits) {
        continue;
      }
      if (entry.isNested() && !second(slots[level], true)) {
        return stop(fault == VtdFault.SM_WRITE ? VtdFault.SM_NESTED_WRITE : fault);
      }
      try {
        set(entry.isNested() ? output : slots[level], bits);
      } catch (BusErrorException broken) {
        return stop(VtdFault.SM_FIRST_UPDATE);
      }
    }
    return true;
  }

  private void set(long slot, long bits) {
    long before = memory.read64(slot);
    while ((before & bits) != bits && !memory.compareAndSet64(slot, before, before | bits)) {
      before = memory.read64(slot);
    }
  }

  private boolean last(long address, long e, int level) {
    long within = (1L << shift(level)) - 1;
    long reached = FS_ADDRESS.get(e) & ~within | address & within;
    if (!entry.isNested()) {
      output = reached;
      shift = shift(level);
      return true;
    }
    if (!second(reached, write)) {
      return false;
    }
    shift = Math.min(shift, shift(level));
    return true;
  }

  private boolean second(long address, boolean writes) {
    int levels = entry.secondLevels();
    if (address >>> Math.min(width(levels), VtdRegisters.MGAW.getInt(features.cap()) + 1) != 0) {
      return stop(VtdFault.SM_SECOND_BEYOND_WIDTH);
    }
    long table = entry.second();
    long allowed = R.mask() | W.mask();
    for (int level = levels; ; level--) {
      long slot = table + (address >>> shift(level) & LEVEL_MASK) * BYTES;
      try {
        long e = memory.read64(slot);
        allowed &= e;
        if (allowed == 0) {
          return stop(VtdFault.SM_SECOND_PERMISSION);
        }
        boolean page = level == 1 || PS.isSet(e);
        if ((e & SECOND_RESERVED) != 0 || page && isReservedSecond(e, level)) {
          return stop(VtdFault.SM_SECOND_RESERVED);
        }
        if (page && !(writes ? W : R).isSet(allowed)) {
          return stop(writes ? VtdFault.SM_WRITE : VtdFault.SM_READ);
        }
        if (entry.marksSecond()) {
          set(slot, A.mask() | (page && writes ? D.mask() : 0));
        }
        if (page) {
          output = ADDRESS.get(e) | address & (1L << shift(level)) - 1;
          shift = shift(level);
          readable = R.isSet(allowed);
          return true;
        }
        table = ADDRESS.get(e);
      } catch (BusErrorException broken) {
        return stop(level == levels ? VtdFault.SM_SECOND_ROOT_ACCESS : VtdFault.SM_SECOND_ACCESS);
      }
    }
  }

  private boolean isReservedSecond(long e, int level) {
    return !features.hasSecondPage(level) || (ADDRESS.get(e) & (1L << shift(level)) - 1) != 0;
  }
}
