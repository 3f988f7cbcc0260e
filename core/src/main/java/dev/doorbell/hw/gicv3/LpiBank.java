package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// One Redistributor's LPIs while GICR_CTLR.EnableLPIs is 1.
///
/// The *pending* state is the table in memory itself, changed as soon as an LPI arrives, moves or is taken, so that it can be
/// watched from outside. The *configuration* is a copy made when LPIs are enabled: the architecture lets a Redistributor cache it from
/// then on, and this one always does, so that software which forgets INV sees its change ignored.
///
/// Bits of one 64-bit word of the pending table change under one of several locks; words that lie apart do not share one. `maybe` says
/// which words can hold a set bit. Setting and clearing allocate nothing.
///
/// **Source**: IHI 0069 H, 5.1.
final class LpiBank {
  private static final int STRIPES = 32;
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  private final PhysicalMemory memory;
  private final long configTable;
  private final long pendingTable;
  private final int limit;
  private final int priorityMask;
  private final byte[] configuration;
  private final long[] maybe;
  private final Object[] stripes = new Object[STRIPES];
  private volatile boolean closed;

  LpiBank(
      PhysicalMemory memory, long configTable, long pendingTable, int idBits, int priorityBits) {
    this.memory = memory;
    this.configTable = configTable;
    this.pendingTable = pendingTable;
    limit = 1 << idBits;
    priorityMask = LpiTables.PRIORITY.getInt(0xff & -(1 << (8 - priorityBits)));
    configuration = new byte[Math.max(0, limit - LpiTables.FIRST_LPI)];
    maybe = new long[(limit / Long.SIZE + Long.SIZE - 1) / Long.SIZE];
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Object();
    }
  }

  /// Ends all use of the tables in memory; none is under way when this returns.
  void close() {
    closed = true;
    for (Object stripe : stripes) {
      synchronized (stripe) {
        // Whoever held it has finished, and the next one sees the mark.
        assert closed;
      }
    }
  }

  /// Starts with what the pending table holds.
  void load() {
    for (int word = LpiTables.FIRST_LPI / Long.SIZE; word < limit / Long.SIZE; word++) {
      if (readPending(word) != 0) {
        suspect(word);
      }
    }
  }

  boolean has(int intid) {
    return intid >= LpiTables.FIRST_LPI && intid < limit;
  }

  /// Reads all of the configuration from memory again.
  void reloadAll() {
    try {
      memory.read(configTable, configuration);
    } catch (BusErrorException _) {
      // A table outside memory: no LPI is enabled.
      Arrays.fill(configuration, (byte) 0);
    }
  }

  void reload(int intid) {
    if (has(intid)) {
      long offset = LpiTables.configOffset(intid);
      try {
        configuration[(int) offset] = (byte) memory.read(configTable + offset, Byte.BYTES);
      } catch (BusErrorException _) {
        configuration[(int) offset] = 0;
      }
    }
  }

  byte configuration(int intid) {
    return configuration[(int) LpiTables.configOffset(intid)];
  }

  void setConfiguration(int intid, byte config) {
    configuration[(int) LpiTables.configOffset(intid)] = config;
  }

  /// {@return whether the table could be reached}
  boolean setPending(int intid) {
    long address = pendingTable + LpiTables.pendingOffset(intid);
    int bit = LpiTables.pendingBit(intid);
    try {
      synchronized (stripe(intid)) {
        if (closed) {
          return false;
        }
        long old = memory.read(address, Byte.BYTES);
        if ((old & bit) == 0) {
          memory.write(address, old | bit, Byte.BYTES);
        }
        suspect(intid / Long.SIZE);
      }
      return true;
    } catch (BusErrorException _) {
      return false;
    }
  }

  /// {@return whether the LPI was pending; it is not any more}
  boolean takePending(int intid) {
    long address = pendingTable + LpiTables.pendingOffset(intid);
    int bit = LpiTables.pendingBit(intid);
    try {
      synchronized (stripe(intid)) {
        long old = memory.read(address, Byte.BYTES);
        if (closed || (old & bit) == 0) {
          return false;
        }
        memory.write(address, old & ~bit, Byte.BYTES);
        return true;
      }
    } catch (BusErrorException _) {
      return false;
    }
  }

  /// {@return the first LPI from an INTID on that is pending, or -1}
  int nextPending(int from) {
    int word = from / Long.SIZE;
    long mask = -1L << (from % Long.SIZE);
    while (true) {
      word = nextSuspect(word);
      if (word < 0) {
        return -1;
      }
      long bits = readPending(word) & (word == from / Long.SIZE ? mask : -1L);
      if (bits != 0) {
        return word * Long.SIZE + Long.numberOfTrailingZeros(bits);
      }
      clearIfEmpty(word);
      word++;
    }
  }

  /// {@return the most urgent enabled pending LPI as a rank, or {@link InterruptBank#NONE}}
  long best() {
    long best = InterruptBank.NONE;
    for (int intid = nextPending(LpiTables.FIRST_LPI); intid >= 0; intid = nextPending(intid + 1)) {
      long config = configuration(intid) & 0xff;
      if (LpiTables.ENABLE.isSet(config)) {
        int priority = LpiTables.PRIORITY.getInt(config) & priorityMask;
        best = Math.min(best, InterruptBank.rank(priority, intid));
      }
      if (intid + 1 >= limit) {
        break;
      }
    }
    return best;
  }

  private long readPending(int word) {
    try {
      return memory.read(pendingTable + (long) word * Long.BYTES, Long.BYTES);
    } catch (BusErrorException _) {
      return 0;
    }
  }

  private void suspect(int word) {
    long bit = 1L << (word % Long.SIZE);
    if (((long) LONGS.getVolatile(maybe, word / Long.SIZE) & bit) == 0) {
      LONGS.getAndBitwiseOr(maybe, word / Long.SIZE, bit);
    }
  }

  private int nextSuspect(int from) {
    for (int i = from / Long.SIZE; i < maybe.length; i++) {
      long bits = (long) LONGS.getVolatile(maybe, i);
      if (i == from / Long.SIZE) {
        bits &= -1L << (from % Long.SIZE);
      }
      if (bits != 0) {
        return i * Long.SIZE + Long.numberOfTrailingZeros(bits);
      }
    }
    return -1;
  }

  private void clearIfEmpty(int word) {
    synchronized (stripes[word % STRIPES]) {
      if (readPending(word) == 0) {
        LONGS.getAndBitwiseAnd(maybe, word / Long.SIZE, ~(1L << (word % Long.SIZE)));
      }
    }
  }

  private Object stripe(int intid) {
    return stripes[intid / Long.SIZE % STRIPES];
  }
}
