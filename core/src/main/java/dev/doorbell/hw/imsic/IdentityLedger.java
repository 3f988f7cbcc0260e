package dev.doorbell.hw.imsic;

import java.util.BitSet;

/// Which identities of which hart are taken, and by whom. A place is a CPU and an identity there. Guarded by the driver's lock.
final class IdentityLedger {
  /// No place.
  static final int NONE = -1;

  private final int identities;
  private final BitSet[] free;

  IdentityLedger(int cpus, int identities) {
    this.identities = identities;
    this.free = new BitSet[cpus];
    for (int i = 0; i < cpus; i++) {
      free[i] = new BitSet();
      free[i].set(1, identities + 1);
    }
  }

  int cpus() {
    return free.length;
  }

  int free() {
    int all = 0;
    for (BitSet f : free) {
      all += f.cardinality();
    }
    return all;
  }

  /// {@return a free identity of a CPU, the lowest, now taken; or {@link #NONE}}
  int take(int cpu) {
    int identity = free[cpu].nextSetBit(1);
    if (identity < 0) {
      return NONE;
    }
    free[cpu].clear(identity);
    return place(cpu, identity);
  }

  /// {@return a free identity of a CPU, or else of the one that has most}
  int takeNear(int cpu) {
    int place = take(cpu);
    return place == NONE ? take(roomiest()) : place;
  }

  private int roomiest() {
    int best = 0;
    for (int i = 1; i < free.length; i++) {
      best = free[i].cardinality() > free[best].cardinality() ? i : best;
    }
    return best;
  }

  /// {@return the first of consecutive identities of one CPU that begin at a multiple of their number, now taken; or {@link #NONE}}
  ///
  /// @param count power of two
  int takeRun(int count) {
    for (int cpu = 0; cpu < free.length; cpu++) {
      for (int at = count; at + count - 1 <= identities; at += count) {
        if (free[cpu].nextClearBit(at) >= at + count) {
          free[cpu].clear(at, at + count);
          return place(cpu, at);
        }
      }
    }
    return NONE;
  }

  /// {@return the largest power of two that {@link #takeRun} would find}
  int largestRun() {
    for (int count = Integer.highestOneBit(identities); count > 0; count /= 2) {
      int place = takeRun(count);
      if (place != NONE) {
        for (int i = 0; i < count; i++) {
          giveBack(place + i);
        }
        return count;
      }
    }
    return 0;
  }

  void giveBack(int place) {
    free[cpu(place)].set(identity(place));
  }

  int places() {
    return free.length * (identities + 1);
  }

  int place(int cpu, int identity) {
    return cpu * (identities + 1) + identity;
  }

  int cpu(int place) {
    return place / (identities + 1);
  }

  int identity(int place) {
    return place % (identities + 1);
  }
}
