package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Quadwords;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// One Redistributor's LPIs while GICR_CTLR.EnableLPIs is 1.
///
/// The *pending* state is the table in memory itself, changed as soon as an LPI arrives, moves or is taken, so that it can be
/// watched from outside. The *configuration* is a copy made when LPIs are enabled: the architecture lets a Redistributor cache it from
/// then on, and this one always does, so that software which forgets INV sees its change ignored.
///
/// Bits of the pending table are set and cleared atomically, a quadword at a time, without a lock: by the rules of {@link LpiArrivals#gate}.
/// `maybe` says which quadwords can hold a set bit; only who looks for one, one at a time, takes marks back. Setting and clearing allocate
/// nothing.
///
/// **Source**: IHI 0069 H, 5.1.
final class LpiBank {
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  private final PhysicalMemory memory;
  private final long configTable;
  private final Quadwords pending;
  private final int limit;
  private final int priorityMask;
  private final byte[] configuration;
  private final long[] maybe;
  // Held by who looks for pending LPIs.
  private final Object search = new Object();

  LpiBank(
      PhysicalMemory memory, long configTable, long pendingTable, int idBits, int priorityBits) {
    this.memory = memory;
    this.configTable = configTable;
    limit = 1 << idBits;
    pending = memory.quadwords(pendingTable, limit / Long.SIZE);
    priorityMask = LpiTables.PRIORITY.getInt(0xff & -(1 << (8 - priorityBits)));
    configuration = new byte[Math.max(0, limit - LpiTables.FIRST_LPI)];
    maybe = new long[(limit / Long.SIZE + Long.SIZE - 1) / Long.SIZE];
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
    int word = intid / Long.SIZE;
    long bit = 1L << intid;
    try {
      // A bit that is set is not written again. Who takes the LPI later still sees what the device
      // wrote before: the claim of the gate stands between that and this read, as a full fence.
      long old = pending.get(word);
      while ((old & bit) == 0 && !pending.compareAndSet(word, old, old | bit)) {
        old = pending.get(word);
      }
    } catch (BusErrorException _) {
      return false;
    }
    suspect(word);
    return true;
  }

  /// {@return whether the LPI was pending; it is not any more}
  boolean takePending(int intid) {
    int word = intid / Long.SIZE;
    long bit = 1L << intid;
    try {
      long old = pending.get(word);
      while ((old & bit) != 0) {
        if (pending.compareAndSet(word, old, old & ~bit)) {
          return true;
        }
        old = pending.get(word);
      }
    } catch (BusErrorException _) {
      // No table, nothing pending.
    }
    return false;
  }

  /// {@return the first LPI from an INTID on that is pending, or -1}
  int nextPending(int from) {
    synchronized (search) {
      int word = from / Long.SIZE;
      long mask = -1L << from;
      while (true) {
        word = nextSuspect(word);
        if (word < 0) {
          return -1;
        }
        long there = readPending(word);
        if (there == 0) {
          there = acquit(word);
        }
        long bits = there & (word == from / Long.SIZE ? mask : -1L);
        if (bits != 0) {
          return word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        }
        word++;
      }
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
      return pending.get(word);
    } catch (BusErrorException _) {
      return 0;
    }
  }

  private void suspect(int word) {
    long bit = 1L << word;
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

  // Takes a quadword's mark back, unless an LPI arrives meanwhile: who sets a bit looks for the
  // mark after that, this the other way round.
  private long acquit(int word) {
    LONGS.getAndBitwiseAnd(maybe, word / Long.SIZE, ~(1L << word));
    VarHandle.fullFence();
    long there = readPending(word);
    if (there != 0) {
      suspect(word);
    }
    return there;
  }
}
