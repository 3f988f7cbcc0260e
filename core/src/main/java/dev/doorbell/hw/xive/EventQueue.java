package dev.doorbell.hw.xive;

import dev.doorbell.bus.PhysicalMemory;

/// A queue of events as software reads it: an entry is new when its generation bit is the one of this round. Callers synchronise.
final class EventQueue {
  /// Nothing new.
  static final int EMPTY = -1;

  private final PhysicalMemory memory;
  private final long start;
  private final int entries;
  private int next;
  private long generation = 1;

  EventQueue(PhysicalMemory memory, long start, long bytes) {
    this.memory = memory;
    this.start = start;
    this.entries = (int) (bytes / EndLayout.ENTRY_BYTES);
  }

  /// {@return the datum of the oldest new entry, or {@link #EMPTY}}
  int peek() {
    long at = start + (long) next * EndLayout.ENTRY_BYTES;
    long entry = EndLayout.swapped(memory.read32(at));
    return EndLayout.ENTRY_GENERATION.get(entry) == generation
        ? EndLayout.ENTRY_DATA.getInt(entry)
        : EMPTY;
  }

  /// Goes on to the next entry.
  void advance() {
    next++;
    if (next == entries) {
      next = 0;
      generation = 1 - generation;
    }
  }
}
