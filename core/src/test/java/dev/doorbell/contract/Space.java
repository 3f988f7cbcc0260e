package dev.doorbell.contract;

import java.util.TreeMap;

/// A domain of the reference.
final class Space {
  /// One user mapping.
  record Mapped(long start, long last, long pa, boolean write) {}

  /// A granule of a window that holds a doorbell's page.
  static final class Slot {
    final long page;
    int users;

    Slot(long page) {
      this.page = page;
    }
  }

  final int shift;
  final boolean trusted;
  long[] window = {};
  final TreeMap<Long, Mapped> maps = new TreeMap<>();
  final TreeMap<Long, Slot> slots = new TreeMap<>();

  Space(int shift, boolean trusted) {
    this.shift = shift;
    this.trusted = trusted;
  }

  long bytes() {
    return 1L << shift;
  }

  /// {@return whether a granule lies in the window}
  boolean isSlot(long at) {
    return window.length != 0
        && Long.compareUnsigned(at, window[0]) >= 0
        && Long.compareUnsigned(at + bytes() - 1, window[1]) <= 0;
  }

  /// {@return whether a function's doorbell may be mapped: its page holds nothing else, or the owner is trusted}
  boolean contains(Facts.Function f) {
    long page = page(f.doorbell());
    return trusted || (page >= f.frameStart() && page + bytes() - 1 <= f.frameLast());
  }

  long page(long address) {
    return address & -bytes();
  }
}
