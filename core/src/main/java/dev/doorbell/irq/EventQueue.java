package dev.doorbell.irq;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;

/// A queue of XIVE's events as software reads it: an entry is new when its generation bit is the one of this round. Callers synchronise.
///
/// **Source**: Linux 6.12 `arch/powerpc/sysdev/xive/common.c` (`xive_read_eq`).
public final class EventQueue {
  /// Nothing new.
  public static final int EMPTY = -1;

  private final PhysicalMemory memory;
  private final long start;
  private final int entries;
  private int next;
  private long generation = 1;

  /// @param where an empty queue is, all of it zero
  public EventQueue(PhysicalMemory memory, AddressRange where) {
    this.memory = memory;
    start = where.start();
    entries = (int) (where.bytes() / XiveEventLayout.ENTRY_BYTES);
  }

  /// {@return the datum of the oldest new entry, or {@link #EMPTY}}
  public int peek() {
    long at = start + (long) next * XiveEventLayout.ENTRY_BYTES;
    long entry = Integer.toUnsignedLong(Integer.reverseBytes(memory.read32(at)));
    return XiveEventLayout.ENTRY_GENERATION.get(entry) == generation
        ? XiveEventLayout.ENTRY_DATA.getInt(entry)
        : EMPTY;
  }

  /// Goes on to the next entry.
  public void advance() {
    next++;
    if (next == entries) {
      next = 0;
      generation = 1 - generation;
    }
  }
}
