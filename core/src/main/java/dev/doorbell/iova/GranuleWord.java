package dev.doorbell.iova;

/// Questions about 64 neighbours, one bit each, lowest address in bit 0. The one place of this room with shifts and
/// masks by hand.
final class GranuleWord {
  static final int SHIFT = 6;
  static final int BITS = 64;

  /// Bits at multiples of 2^k, by k.
  private static final long[] ALIGNED = {
    -1L,
    0x5555_5555_5555_5555L,
    0x1111_1111_1111_1111L,
    0x0101_0101_0101_0101L,
    0x0001_0001_0001_0001L,
    0x0000_0001_0000_0001L,
    0x0000_0000_0000_0001L
  };

  private GranuleWord() {}

  /// {@return the starts of all aligned runs of 2^order set bits}
  static long alignedRuns(long word, int order) {
    long runs = word;
    for (int k = 0; k < order; k++) {
      runs &= runs >>> (1 << k) & ALIGNED[k + 1];
    }
    return runs;
  }

  /// {@return log2 of the largest aligned run of set bits, -1 when none is set}
  static int order(long word) {
    if (word == 0) {
      return -1;
    }
    long runs = word;
    int order = 0;
    while (order < SHIFT) {
      runs &= runs >>> (1 << order) & ALIGNED[order + 1];
      if (runs == 0) {
        return order;
      }
      order++;
    }
    return order;
  }

  /// {@return the bits from one to another, both included}
  static long bits(int from, int to) {
    return -1L << from & -1L >>> (BITS - 1 - to);
  }

  static long bit(int index) {
    return 1L << index;
  }

  static boolean isSet(long word, int index) {
    return (word >>> index & 1) != 0;
  }

  /// {@return the bits at and above one}
  static long atOrAbove(int index) {
    return -1L << index;
  }

  /// {@return the bits at and below one}
  static long atOrBelow(int index) {
    return -1L >>> (BITS - 1 - index);
  }

  static int lowest(long word) {
    return Long.numberOfTrailingZeros(word);
  }

  static int highest(long word) {
    return BITS - 1 - Long.numberOfLeadingZeros(word);
  }
}
