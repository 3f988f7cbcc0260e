package dev.doorbell.hw.gicv3;

/// The state of wired interrupts and software-generated ones, in words of 32 INTIDs. The owner synchronises.
///
/// **Source**: IHI 0069 H, 4.1 (states), 12.9 (registers).
final class InterruptBank {
  /// Result of a search that found nothing: no priority is as low.
  static final long NONE = Long.MAX_VALUE;

  private static final int INTID_BITS = 32;

  final int[] group1;
  final int[] enabled;
  final int[] active;
  final int[] edge;
  private final int[] latch;
  private final int[] line;
  private final byte[] priority;
  private final int priorityMask;

  InterruptBank(int words, int priorityBits) {
    group1 = new int[words];
    enabled = new int[words];
    active = new int[words];
    edge = new int[words];
    latch = new int[words];
    line = new int[words];
    priority = new byte[words * 32];
    priorityMask = 0xff & -(1 << (8 - priorityBits));
  }

  int words() {
    return enabled.length;
  }

  int pending(int word) {
    return latch[word] | (line[word] & ~edge[word]);
  }

  void setPending(int word, int bits) {
    latch[word] |= bits;
  }

  /// Clears latches; a level-sensitive interrupt whose line is up stays pending.
  void clearPending(int word, int bits) {
    latch[word] &= ~bits;
  }

  void drive(int n, boolean level) {
    int word = n / 32;
    int bit = 1 << (n % 32);
    boolean rises = level && (line[word] & bit) == 0;
    line[word] = level ? line[word] | bit : line[word] & ~bit;
    if (rises && (edge[word] & bit) != 0) {
      latch[word] |= bit;
    }
  }

  long priorities(int index) {
    long word = 0;
    for (int i = 3; i >= 0; i--) {
      word = word << 8 | priority[index * 4 + i] & 0xff;
    }
    return word;
  }

  void setPriorities(int index, long word) {
    for (int i = 0; i < 4; i++) {
      priority[index * 4 + i] = (byte) (word >>> (8 * i) & priorityMask);
    }
  }

  /// {@return two bits an interrupt: the upper of each pair is 1 for edge-triggered}
  long config(int index) {
    long word = 0;
    int half = edge[index / 2] >>> (index % 2 * 16);
    for (int i = 0; i < 16; i++) {
      word |= (long) (half >>> i & 1) << (2 * i + 1);
    }
    return word;
  }

  void setConfig(int index, long word) {
    int half = 0;
    for (int i = 0; i < 16; i++) {
      half |= (int) (word >>> (2 * i + 1) & 1) << i;
    }
    int shift = index % 2 * 16;
    edge[index / 2] = edge[index / 2] & ~(0xffff << shift) | half << shift;
  }

  /// {@return Group 1 interrupts of a word that are enabled, pending and not active}
  int deliverable(int word) {
    return pending(word) & enabled[word] & group1[word] & ~active[word];
  }

  /// {@return an interrupt as a number that is smaller the more urgent it is, the lower INTID first among equals}
  long rank(int n) {
    return rank(priority[n] & 0xff, n);
  }

  static long rank(int priority, int intid) {
    return (long) priority << INTID_BITS | intid;
  }

  static int rankPriority(long rank) {
    return (int) (rank >>> INTID_BITS);
  }

  static int rankIntid(long rank) {
    return (int) rank;
  }

  /// Takes an interrupt: active, and pending no more unless its level still asks.
  void activate(int n) {
    int bit = 1 << (n % 32);
    active[n / 32] |= bit;
    latch[n / 32] &= ~bit;
  }

  void deactivate(int n) {
    active[n / 32] &= ~(1 << (n % 32));
  }
}
