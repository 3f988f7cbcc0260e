package dev.doorbell.vmsa;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Translations, or pointers to tables, by input address, address space and stream world; four ways. The tags of a set lie side by side, so
/// that one cache line says that an address is not there.
///
/// Entries stay until they are invalidated or a newer one needs their place; a full cache loses one entry and no more.
/// Look-ups take no lock and write nothing: each entry has a sequence number that is odd while it changes. A fill claims
/// its entry by that number; a fill whose walk began before an invalidation is dropped (see {@link #insert}). Only one
/// thread may invalidate at a time.
public final class TranslationCache {
  private static final Layout L_TAG = Layout.lsb0("cache tag", 8);
  private static final Layout L_WHO = Layout.lsb0("cache address space", 8);
  // spotless:off
  private static final Field SIZE   = L_TAG.bits   ("size",   5,  0);
  private static final Field VALID  = L_TAG.bit    ("valid",  6);
  private static final Field WORLD  = L_TAG.bits   ("world",  8,  7);
  private static final Field GLOBAL = L_TAG.bit    ("global", 9);
  private static final Field BASE   = L_TAG.address("base",  63, 12);
  private static final Field ASID   = L_WHO.bits   ("ASID",  15,  0);
  private static final Field VMID   = L_WHO.bits   ("VMID",  31, 16);
  private static final Field GRANULE = L_WHO.bits  ("granule", 36, 32);
  private static final Field LEVEL  = L_WHO.bits   ("level", 39, 37);
  // spotless:on

  static {
    L_TAG.res0(11, 10).seal();
    L_WHO.res0(63, 40).seal();
  }

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle SIZES = field("sizes");
  private static final VarHandle GLOBAL_SIZES = field("globalSizes");
  private static final long SHAPE_WHO = GRANULE.mask() | LEVEL.mask();
  private static final int WAYS = 4;
  private static final int ENTRY = 4;
  private static final int SEQUENCE = 0;
  private static final int WHO = 1;
  private static final int DATA = 2;
  private static final int EXTRA = 3;
  private static final long MIX = 0x9E3779B97F4A7C15L;

  // A tag for each entry, and the rest of it.
  private final long[] tags;
  private final long[] entries;
  private final int sets;
  private volatile long generation;
  // Sizes that were ever inserted, one bit each, so that a look-up tries no others.
  private volatile long sizes;
  private volatile long globalSizes;
  private int victim;

  /// @param size entries, a power of two, at least 4
  public TranslationCache(int size) {
    if (size < WAYS || Integer.bitCount(size) != 1) {
      throw new IllegalArgumentException(
          "a cache holds a power of two of entries, at least 4, not " + size);
    }
    sets = size / WAYS;
    tags = new long[size];
    entries = new long[size * ENTRY];
  }

  /// {@return the address space of a look-up}
  public static int who(int asid, int vmid) {
    return (int) (ASID.place(asid) | VMID.place(vmid));
  }

  /// {@return what {@link #insert} wants from before the walk}
  public long generation() {
    return generation;
  }

  /// Looks an address up, smallest entries first.
  ///
  /// {@return whether the probe now holds an entry that covers it}
  public boolean find(long address, int world, int who, CacheProbe into) {
    for (long left = sizes; left != 0; left &= left - 1) {
      int size = Long.numberOfTrailingZeros(left);
      if (probe(tag(address, size, world, false), who, into)) {
        into.size = size;
        return true;
      }
    }
    for (long left = globalSizes; left != 0; left &= left - 1) {
      int size = Long.numberOfTrailingZeros(left);
      if (probe(tag(address, size, world, true), globalWho(who), into)) {
        into.size = size;
        return true;
      }
    }
    return false;
  }

  /// Adds an entry, or drops it when something was invalidated since the entry's generation was read: the walk may have seen
  /// what the invalidation was to remove.
  ///
  /// @param entry its data, extra, shape and generation
  public void insert(long address, int who, CacheProbe entry) {
    long shape = entry.shape;
    int size = (int) SIZE.get(shape);
    boolean global = GLOBAL.isSet(shape);
    long tag = tag(address, size, (int) WORLD.get(shape), global);
    int space = global ? globalWho(who) : who;
    if (((global ? globalSizes : sizes) & bit(size)) == 0) {
      (global ? GLOBAL_SIZES : SIZES).getAndBitwiseOr(this, bit(size));
    }
    int index = place(tag, space);
    int at = index * ENTRY;
    long sequence = (long) LONGS.getAcquire(entries, at + SEQUENCE);
    if ((sequence & 1) != 0
        || !LONGS.compareAndSet(entries, at + SEQUENCE, sequence, sequence + 1)) {
      return;
    }
    // The claim is seen before anything that it covers.
    VarHandle.storeStoreFence();
    if (generation == entry.generation) {
      LONGS.setOpaque(tags, index, tag);
      LONGS.setOpaque(entries, at + WHO, Integer.toUnsignedLong(space) | (shape & SHAPE_WHO));
      LONGS.setOpaque(entries, at + DATA, entry.data);
      LONGS.setOpaque(entries, at + EXTRA, entry.extra);
    }
    LONGS.setRelease(entries, at + SEQUENCE, sequence + 2);
  }

  /// {@return the shape of an entry}
  ///
  /// @param size base 2 logarithm of the bytes it covers
  /// @param granule base 2 logarithm of its table's granule
  /// @param level of the descriptor
  public static long shape(int size, int world, boolean global, int granule, int level) {
    return SIZE.place(size)
        | WORLD.place(world)
        | GLOBAL.place(global ? 1 : 0)
        | GRANULE.place(granule)
        | LEVEL.place(level);
  }

  /// Removes what an invalidation names. Called under the model's register lock only: one writer at a time.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  public void invalidate(Invalidation what) {
    // The new generation comes first: a fill that claimed its entry before is seen by the scan, one
    // that did not sees it.
    generation = generation + 1;
    VarHandle.fullFence();
    if (what.worlds() == 0) {
      return;
    }
    long first = what.first();
    long bytes = what.last() - first;
    if (!what.single() || Long.compareUnsigned(bytes, bit(SINGLE_BYTES)) >= 0) {
      for (int set = 0; set < sets; set++) {
        sweep(set, what);
      }
      return;
    }
    for (long left = sizes | globalSizes; left != 0; left &= left - 1) {
      int size = Long.numberOfTrailingZeros(left);
      long blocks = (what.last() >>> size) - (first >>> size);
      if (blocks >= sets) {
        for (int set = 0; set < sets; set++) {
          sweep(set, what);
        }
        return;
      }
      for (long block = 0; block <= blocks; block++) {
        long address = first + (block << size);
        sweep(setOf(tag(address, size, what.world(), false), what.who()), what);
        sweep(setOf(tag(address, size, what.world(), true), globalWho(what.who())), what);
      }
    }
  }

  // Larger ranges are cheaper to find by looking at every entry.
  private static final int SINGLE_BYTES = 40;

  private void sweep(int set, Invalidation what) {
    for (int index = set * WAYS; index < (set + 1) * WAYS; index++) {
      int at = index * ENTRY;
      long sequence;
      boolean named;
      do {
        sequence = settled(at);
        // Whoever claims the entry from here on sees the new generation and changes nothing.
        long tag = (long) LONGS.getOpaque(tags, index);
        named = VALID.isSet(tag) && names(what, tag, (long) LONGS.getOpaque(entries, at + WHO));
      } while (named && !LONGS.compareAndSet(entries, at + SEQUENCE, sequence, sequence + 1));
      if (named) {
        VarHandle.storeStoreFence();
        LONGS.setOpaque(tags, index, 0L);
        LONGS.setRelease(entries, at + SEQUENCE, sequence + 2);
      }
    }
  }

  private long settled(int at) {
    for (; ; Thread.onSpinWait()) {
      long sequence = (long) LONGS.getAcquire(entries, at + SEQUENCE);
      if ((sequence & 1) == 0) {
        return sequence;
      }
    }
  }

  private static boolean names(Invalidation what, long tag, long who) {
    long base = BASE.get(tag);
    long last = base + (bit((int) SIZE.get(tag)) - 1);
    return what.hasWorld((int) WORLD.get(tag))
        && (what.vmid() < 0 || what.vmid() == VMID.get(who))
        && (what.asid() < 0
            || (GLOBAL.isSet(tag) ? what.globalToo() : what.asid() == ASID.get(who)))
        && Long.compareUnsigned(base, what.last()) <= 0
        && Long.compareUnsigned(last, what.first()) >= 0
        && (what.granule() == 0 || what.granule() == GRANULE.get(who))
        && (what.level() == 0 || what.level() == LEVEL.get(who));
  }

  private boolean probe(long tag, int who, CacheProbe into) {
    int first = setOf(tag, who) * WAYS;
    for (int index = first; index < first + WAYS; index++) {
      if ((long) LONGS.getOpaque(tags, index) == tag && holds(index, tag, who, into)) {
        return true;
      }
    }
    return false;
  }

  private boolean holds(int index, long tag, int who, CacheProbe into) {
    int at = index * ENTRY;
    long sequence = (long) LONGS.getAcquire(entries, at + SEQUENCE);
    long there = (long) LONGS.getOpaque(tags, index);
    long owner = (long) LONGS.getOpaque(entries, at + WHO);
    long data = (long) LONGS.getOpaque(entries, at + DATA);
    long extra = (long) LONGS.getOpaque(entries, at + EXTRA);
    VarHandle.loadLoadFence();
    if (there != tag
        || (int) owner != who
        || (sequence & 1) != 0
        || (long) LONGS.getOpaque(entries, at + SEQUENCE) != sequence) {
      return false;
    }
    into.data = data;
    into.extra = extra;
    return true;
  }

  // The entry of the same tag if there is one, else an empty one, else the next victim.
  private int place(long tag, int who) {
    int first = setOf(tag, who) * WAYS;
    int empty = -1;
    for (int index = first; index < first + WAYS; index++) {
      long there = (long) LONGS.getOpaque(tags, index);
      if (there == tag && (int) (long) LONGS.getOpaque(entries, index * ENTRY + WHO) == who) {
        return index;
      }
      if (!VALID.isSet(there)) {
        empty = index;
      }
    }
    return empty >= 0 ? empty : first + (victim++ & (WAYS - 1));
  }

  private int setOf(long tag, int who) {
    long mixed = (tag >>> SIZE.get(tag)) ^ (who * MIX);
    return (int) ((mixed * MIX) >>> 33) & (sets - 1);
  }

  private static long tag(long address, int size, int world, boolean global) {
    return (address & -bit(size))
        | SIZE.place(size)
        | VALID.mask()
        | WORLD.place(world)
        | (global ? GLOBAL.mask() : 0);
  }

  private static VarHandle field(String name) {
    try {
      return MethodHandles.lookup().findVarHandle(TranslationCache.class, name, long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static int globalWho(int who) {
    return who & ~(int) ASID.mask();
  }

  private static long bit(int number) {
    return 1L << number;
  }
}
