package dev.doorbell.address;

import java.util.Arrays;

/// A run of neighbouring entries of an {@link IntervalMap}, sorted, in arrays.
final class IntervalLeaf {
  /// Large enough that the directory above stays small (16 Ki leaves for a million entries), small enough that moving
  /// half of it costs less than a cache miss of a tree.
  static final int CAPACITY = 128;

  final long[] starts = new long[CAPACITY];
  final long[] lasts = new long[CAPACITY];
  final Object[] values = new Object[CAPACITY];
  int size;

  /// {@return index of the last entry that starts at or below an address, or -1}
  int floor(long address) {
    int low = 0;
    int high = size - 1;
    while (low <= high) {
      int mid = (low + high) >>> 1;
      if (Long.compareUnsigned(starts[mid], address) <= 0) {
        low = mid + 1;
      } else {
        high = mid - 1;
      }
    }
    return high;
  }

  /// Makes an entry at an index; there must be room.
  void insert(int at, long start, long last, Object value) {
    int moved = size - at;
    System.arraycopy(starts, at, starts, at + 1, moved);
    System.arraycopy(lasts, at, lasts, at + 1, moved);
    System.arraycopy(values, at, values, at + 1, moved);
    starts[at] = start;
    lasts[at] = last;
    values[at] = value;
    size++;
  }

  /// Drops the entries `from` to `to - 1`.
  void remove(int from, int to) {
    int moved = size - to;
    System.arraycopy(starts, to, starts, from, moved);
    System.arraycopy(lasts, to, lasts, from, moved);
    System.arraycopy(values, to, values, from, moved);
    int left = size - (to - from);
    Arrays.fill(values, left, size, null); // so that dropped values can be collected
    size = left;
  }

  /// Moves the entries from an index on into a new leaf.
  IntervalLeaf split(int at) {
    IntervalLeaf right = new IntervalLeaf();
    right.append(this, at);
    Arrays.fill(values, at, size, null);
    size = at;
    return right;
  }

  /// Appends the entries of another leaf from an index on; there must be room.
  void append(IntervalLeaf other, int from) {
    int count = other.size - from;
    System.arraycopy(other.starts, from, starts, size, count);
    System.arraycopy(other.lasts, from, lasts, size, count);
    System.arraycopy(other.values, from, values, size, count);
    size += count;
  }
}
