package dev.doorbell.hw.lapic;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// Which vectors of which CPU are taken. A place is a CPU and a vector there. Guarded by the driver's lock.
final class VectorLedger {
  /// Nothing is free.
  static final int NONE = -1;

  /// Vectors below belong to exceptions.
  static final int FIRST = 32;

  static final int VECTORS = 256;

  /// Vectors that a CPU has for devices.
  static final int PER_CPU = VECTORS - FIRST;

  private final List<Long> apicIds;
  private final BitSet[] taken;
  private final int[] free;
  private final int[] next;

  VectorLedger(List<Long> apicIds) {
    this.apicIds = apicIds;
    taken = new BitSet[apicIds.size()];
    Arrays.setAll(taken, _ -> new BitSet(VECTORS));
    free = new int[apicIds.size()];
    Arrays.fill(free, PER_CPU);
    next = new int[apicIds.size()];
    Arrays.fill(next, FIRST);
  }

  static int cpu(int place) {
    return place / VECTORS;
  }

  static int vector(int place) {
    return place % VECTORS;
  }

  /// {@return whether a message can name a CPU}
  boolean reaches(int cpu, long lastDestination) {
    return apicIds.get(cpu) <= lastDestination;
  }

  /// {@return free vectors of all CPUs that a message can name}
  int free(long lastDestination) {
    int sum = 0;
    for (int cpu = 0; cpu < free.length; cpu++) {
      sum += reaches(cpu, lastDestination) ? free[cpu] : 0;
    }
    return sum;
  }

  /// {@return the longest aligned run of vectors, a power of two, that some CPU has free; 0 for none}
  int longestRun(long lastDestination) {
    for (int count = Integer.highestOneBit(PER_CPU); count > 0; count /= 2) {
      if (findRun(count, lastDestination) != NONE) {
        return count;
      }
    }
    return 0;
  }

  /// Takes a vector of a CPU: the next one after that which was taken last, so that what comes late is not taken for a new one's.
  ///
  /// {@return its place, or {@link #NONE}}
  int take(int cpu) {
    int vector = taken[cpu].nextClearBit(next[cpu]);
    if (vector >= VECTORS) {
      vector = taken[cpu].nextClearBit(FIRST);
    }
    if (vector >= VECTORS) {
      return NONE;
    }
    next[cpu] = vector + 1;
    return claim(cpu, vector);
  }

  /// Takes a vector: of a CPU if it has one and can be named, else of the one with most.
  int takeNear(int cpu, long lastDestination) {
    if (free[cpu] > 0 && reaches(cpu, lastDestination)) {
      return take(cpu);
    }
    int best = NONE;
    for (int c = 0; c < free.length; c++) {
      if (reaches(c, lastDestination) && free[c] > 0 && (best == NONE || free[c] > free[best])) {
        best = c;
      }
    }
    return best == NONE ? NONE : take(best);
  }

  /// Takes an aligned run of vectors on one CPU.
  ///
  /// @param count a power of two
  /// {@return the first one's place, or {@link #NONE}}
  int takeRun(int count, long lastDestination) {
    int first = findRun(count, lastDestination);
    for (int i = 0; first != NONE && i < count; i++) {
      claim(cpu(first), vector(first) + i);
    }
    return first;
  }

  private int findRun(int count, long lastDestination) {
    for (int cpu = 0; cpu < free.length; cpu++) {
      if (free[cpu] < count || !reaches(cpu, lastDestination)) {
        continue;
      }
      for (int at = Math.max(FIRST, count); at + count <= VECTORS; at += count) {
        int used = taken[cpu].nextSetBit(at);
        if (used < 0 || used >= at + count) {
          return cpu * VECTORS + at;
        }
      }
    }
    return NONE;
  }

  private int claim(int cpu, int vector) {
    taken[cpu].set(vector);
    free[cpu]--;
    return cpu * VECTORS + vector;
  }

  void giveBack(int place) {
    taken[cpu(place)].clear(vector(place));
    free[cpu(place)]++;
  }

  /// {@return whether some vector of a CPU is taken}
  boolean isUsed(int cpu) {
    return free[cpu] < PER_CPU;
  }
}
