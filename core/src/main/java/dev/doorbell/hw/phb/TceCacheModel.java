package dev.doorbell.hw.phb;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// Entries of TCE tables that a bridge has read and not been told to forget. Nothing is allocated, and who looks up waits for nobody. Safe for use
/// from many threads: each slot has a version, which is odd while the slot changes.
final class TceCacheModel {
  /// Not in the cache; no TCE that may be kept is 0.
  static final long MISS = 0;

  private static final int SLOTS = 256;
  private static final int KEY_SHIFT = 11;
  private static final long EMPTY = 0;

  private final AtomicLongArray versions = new AtomicLongArray(SLOTS);
  private final AtomicLongArray keys = new AtomicLongArray(SLOTS);
  private final AtomicLongArray values = new AtomicLongArray(SLOTS);
  private final AtomicLong generation = new AtomicLong();

  /// {@return what must be handed to {@link #keep}, taken before tables are read}
  long generation() {
    return generation.get();
  }

  /// @param tve the window's number
  /// @param page the number of the page within the window
  long find(int tve, long page) {
    long key = key(tve, page);
    int slot = slot(key);
    long version = versions.get(slot);
    if (keys.get(slot) != key) {
      return MISS;
    }
    long value = values.get(slot);
    return (version & 1) == 0 && versions.get(slot) == version ? value : MISS;
  }

  /// Keeps an entry, unless something was forgotten since the tables were read.
  void keep(int tve, long page, long tce, long since) {
    long key = key(tve, page);
    int slot = slot(key);
    long version = versions.get(slot);
    if ((version & 1) != 0 || !versions.compareAndSet(slot, version, version + 1)) {
      return;
    }
    values.set(slot, tce);
    keys.set(slot, generation.get() == since ? key : EMPTY);
    versions.set(slot, version + 2);
  }

  /// Forgets all. What is being kept meanwhile is forgotten, too.
  void clear() {
    generation.incrementAndGet();
    for (int slot = 0; slot < SLOTS; slot++) {
      long version = versions.get(slot);
      while ((version & 1) != 0 || !versions.compareAndSet(slot, version, version + 1)) {
        Thread.onSpinWait();
        version = versions.get(slot);
      }
      keys.set(slot, EMPTY);
      versions.set(slot, version + 2);
    }
  }

  private static long key(int tve, long page) {
    return page << KEY_SHIFT | tve * 2L + 1;
  }

  private static int slot(long key) {
    return (int) ((key / 2 ^ key >>> KEY_SHIFT) % SLOTS);
  }
}
