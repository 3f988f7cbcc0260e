package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;

/// The state of all interrupts, in words of 32: first one word of SGIs and PPIs for each processor, then the SPIs. The
/// owner synchronises.
///
/// **Source**: IHI 0048B.b, 3.2.4 (states), 4.3.
final class InterruptStates {
  /// Result of a search that found nothing: no priority is as low.
  static final long NONE = Long.MAX_VALUE;

  private static final int SGIS = 0xffff;
  private static final int INTID_BITS = 32;

  final int[] group1;
  final int[] enabled;
  final int[] active;
  private final int[] edge;
  private final int[] latch;
  private final int[] line;
  private final byte[] priority;
  private final byte[] targets;
  // [target CPU * 16 + SGI]: one bit for each CPU that sent it.
  private final byte[] sgiSources;
  private final GicV2Config config;
  private final int priorityMask;
  private final int allCpus;

  InterruptStates(GicV2Config config) {
    this.config = config;
    int words = config.cpus() + config.spis() / 32;
    group1 = new int[words];
    enabled = new int[words];
    active = new int[words];
    edge = new int[words];
    latch = new int[words];
    line = new int[words];
    priority = new byte[words * 32];
    targets = new byte[words * 32];
    sgiSources = new byte[config.cpus() * FIRST_PPI];
    priorityMask = (int) BYTE_0.max() & -(1 << (8 - config.priorityBits()));
    allCpus = (1 << config.cpus()) - 1;
    for (int cpu = 0; cpu < config.cpus(); cpu++) {
      edge[cpu] = SGIS;
    }
  }

  int cpus() {
    return config.cpus();
  }

  /// {@return where a processor finds element `i` of a one-bit array, or -1 when it does not exist}
  int word(int cpu, int i) {
    int word = i == 0 ? cpu : config.cpus() + i - 1;
    return word < enabled.length ? word : -1;
  }

  /// {@return the bits of a word that are interrupts}
  int existing(int word) {
    boolean cut =
        config.limit() == SPI_LIMIT && word == enabled.length - 1 && word >= config.cpus();
    return cut ? -1 >>> (FIRST_SPI - SPI_LIMIT % FIRST_SPI) : -1;
  }

  private int slot(int cpu, int intid) {
    return intid < FIRST_SPI ? cpu * FIRST_SPI + intid : (config.cpus() - 1) * FIRST_SPI + intid;
  }

  int pending(int word) {
    int bits = latch[word] | (line[word] & ~edge[word]);
    if (word < config.cpus()) {
      for (int sgi = 0; sgi < FIRST_PPI; sgi++) {
        bits |= sgiSources[word * FIRST_PPI + sgi] == 0 ? 0 : 1 << sgi;
      }
    }
    return bits;
  }

  /// SGIs become pending by GICD_SGIR and GICD_SPENDSGIR alone.
  void setPending(int word, int bits) {
    latch[word] |= bits & existing(word) & notSgis(word);
  }

  /// A level-sensitive interrupt whose line is up stays pending.
  void clearPending(int word, int bits) {
    latch[word] &= ~(bits & notSgis(word));
  }

  private int notSgis(int word) {
    return word < config.cpus() ? ~SGIS : -1;
  }

  void drive(int cpu, int intid, boolean level) {
    int slot = slot(cpu, intid);
    int word = slot / 32;
    int bit = 1 << (slot % 32);
    boolean rises = level && (line[word] & bit) == 0;
    line[word] = level ? line[word] | bit : line[word] & ~bit;
    if (rises && (edge[word] & bit) != 0) {
      latch[word] |= bit;
    }
  }

  void sendSgi(int fromCpu, int targetCpus, int sgi) {
    for (int cpu = 0; cpu < config.cpus(); cpu++) {
      if ((targetCpus >>> cpu & 1) != 0) {
        sgiSources[cpu * FIRST_PPI + sgi] |= (byte) (1 << fromCpu);
      }
    }
  }

  /// {@return the sources of four SGIs, a byte each}
  long sgiSources(int cpu, int index) {
    return bytes(sgiSources, cpu * FIRST_PPI + index * 4);
  }

  void changeSgiSources(int cpu, int index, long bits, boolean set) {
    for (int i = 0; i < 4; i++) {
      int at = cpu * FIRST_PPI + index * 4 + i;
      int given = (int) (bits >>> (8 * i)) & allCpus;
      sgiSources[at] = (byte) (set ? sgiSources[at] | given : sgiSources[at] & ~given);
    }
  }

  long priorities(int word, int quarter) {
    return bytes(priority, word * 32 + quarter * 4);
  }

  void setPriorities(int word, int quarter, long value) {
    setBytes(priority, word, quarter, value, priorityMask);
  }

  /// {@return targets of four interrupts; of SGIs and PPIs the reader, of a GIC with one processor zero}
  long targets(int word, int quarter) {
    if (config.cpus() == 1) {
      return 0;
    }
    if (word < config.cpus()) {
      return (1L << word) * (BYTE_0.place(1) | BYTE_1.place(1) | BYTE_2.place(1) | BYTE_3.place(1));
    }
    return bytes(targets, word * 32 + quarter * 4);
  }

  void setTargets(int word, int quarter, long value) {
    if (word >= config.cpus() && config.cpus() > 1) {
      setBytes(targets, word, quarter, value, allCpus);
    }
  }

  private static long bytes(byte[] from, int at) {
    long value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | from[at + i] & 0xff;
    }
    return value;
  }

  private void setBytes(byte[] to, int word, int quarter, long value, int mask) {
    for (int i = 0; i < 4; i++) {
      if ((existing(word) >>> (quarter * 4 + i) & 1) != 0) {
        to[word * 32 + quarter * 4 + i] = (byte) (value >>> (8 * i) & mask);
      }
    }
  }

  /// {@return the triggers of half a word: the upper bit of each pair is 1 for edge}
  long triggers(int word, int half) {
    long value = 0;
    for (int i = 0; i < 16; i++) {
      value |= (long) (edge[word] >>> (half * 16 + i) & 1) << (2 * i + 1);
    }
    return value;
  }

  /// SGIs stay edge-triggered.
  void setTriggers(int word, int half, long value) {
    if (word < config.cpus() && half == 0) {
      return;
    }
    int bits = 0;
    for (int i = 0; i < 16; i++) {
      bits |= (int) (value >>> (2 * i + 1) & 1) << (half * 16 + i);
    }
    int mask = SGIS << (half * 16);
    edge[word] = (edge[word] & ~mask) | (bits & existing(word));
  }

  /// {@return the most urgent interrupt of the given groups for a processor: priority, then INTID, in one number; or NONE}
  long best(int cpu, boolean group0, boolean group1Too) {
    long best = bestOf(cpu, cpu, group0, group1Too);
    for (int word = config.cpus(); word < enabled.length; word++) {
      best = Math.min(best, bestOf(cpu, word, group0, group1Too));
    }
    return best;
  }

  private long bestOf(int cpu, int word, boolean group0, boolean group1Too) {
    int groups = (group0 ? ~group1[word] : 0) | (group1Too ? group1[word] : 0);
    long best = NONE;
    for (int left = pending(word) & enabled[word] & ~active[word] & groups;
        left != 0;
        left &= left - 1) {
      int bit = Integer.numberOfTrailingZeros(left);
      int slot = word * 32 + bit;
      boolean local = word < config.cpus();
      if (local || config.cpus() == 1 || (targets[slot] >>> cpu & 1) != 0) {
        int intid = local ? bit : slot - (config.cpus() - 1) * 32;
        best = Math.min(best, (long) (priority[slot] & 0xff) << INTID_BITS | intid);
      }
    }
    return best;
  }

  static int priorityOf(long best) {
    return (int) (best >>> INTID_BITS);
  }

  static int intidOf(long best) {
    return (int) best;
  }

  boolean isGroup1(int cpu, int intid) {
    int slot = slot(cpu, intid);
    return (group1[slot / 32] >>> (slot % 32) & 1) != 0;
  }

  /// {@return the CPU that sent a pending SGI, the lowest of several; 0 for another interrupt}
  int source(int cpu, int intid) {
    return intid < FIRST_PPI
        ? Integer.numberOfTrailingZeros(sgiSources[cpu * FIRST_PPI + intid] & 0xff)
        : 0;
  }

  /// Takes an interrupt: active, and pending no more, unless its level still asks or another CPU sent the same SGI.
  void activate(int cpu, int intid) {
    int slot = slot(cpu, intid);
    int bit = 1 << (slot % 32);
    active[slot / 32] |= bit;
    latch[slot / 32] &= ~bit;
    if (intid < FIRST_PPI) {
      int at = cpu * FIRST_PPI + intid;
      sgiSources[at] &= (byte) (sgiSources[at] - 1);
    }
  }

  void deactivate(int cpu, int intid) {
    int slot = slot(cpu, intid);
    active[slot / 32] &= ~(1 << (slot % 32));
  }
}
