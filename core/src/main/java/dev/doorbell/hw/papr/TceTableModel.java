package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The TCEs of one DMA window. Memory is taken for those parts that were written. Safe for use from many threads.
final class TceTableModel {
  private static final int PART_SHIFT = 9;
  private static final int PART = 1 << PART_SHIFT;

  private final AddressRange window;
  private final int shift;
  private final long pages;
  private final AtomicReferenceArray<@Nullable AtomicLongArray> parts;

  /// @param window a whole number of pages
  /// @param shift of a page's size
  TceTableModel(AddressRange window, int shift) {
    this.window = window;
    this.shift = shift;
    pages = window.bytes() >>> shift;
    parts = new AtomicReferenceArray<>((int) ((pages + PART - 1) >>> PART_SHIFT));
  }

  boolean contains(long address) {
    return window.contains(address);
  }

  /// {@return whether so many pages from an address lie in the window}
  boolean holds(long address, long count) {
    return contains(address) && count >= 0 && count <= pages - (address - window.start() >>> shift);
  }

  int shift() {
    return shift;
  }

  AddressRange window() {
    return window;
  }

  long get(long address) {
    int index = index(address);
    AtomicLongArray part = parts.get(index >>> PART_SHIFT);
    return part == null ? TceLayout.NONE : part.get(index & PART - 1);
  }

  void set(long address, long tce) {
    set(index(address), tce);
  }

  private void set(int index, long tce) {
    int at = index >>> PART_SHIFT;
    AtomicLongArray part = parts.get(at);
    if (part == null && tce != TceLayout.NONE) {
      parts.compareAndSet(at, null, new AtomicLongArray(PART));
      part = parts.get(at);
    }
    if (part != null) {
      part.set(index & PART - 1, tce);
    }
  }

  /// Sets so many entries from an address on.
  void fill(long address, long count, long tce) {
    int first = index(address);
    for (int i = 0; i < count; i++) {
      set(first + i, tce);
    }
  }

  void clear() {
    for (int i = 0; i < parts.length(); i++) {
      parts.set(i, null);
    }
  }

  private int index(long address) {
    return (int) (address - window.start() >>> shift);
  }
}
