package dev.doorbell.hw.smmuv3;

/// What a TLBI command names. An entry goes when it meets all of it.
///
/// @param worlds stream worlds, one bit each
/// @param vmid or -1 for any
/// @param asid or -1 for any
/// @param globalToo whether entries without an ASID go although one is named
/// @param first lowest address
/// @param last highest address, inclusive
/// @param granule base 2 logarithm of the granule, or 0 for any
/// @param level of the leaf descriptor, or 0 for any
record Invalidation(
    int worlds,
    int vmid,
    int asid,
    boolean globalToo,
    long first,
    long last,
    int granule,
    int level) {
  /// {@return everything of some worlds}
  static Invalidation all(int worlds) {
    return new Invalidation(worlds, -1, -1, true, 0, -1L, 0, 0);
  }

  Invalidation withVmid(int one) {
    return new Invalidation(worlds, one, asid, globalToo, first, last, granule, level);
  }

  Invalidation withAsid(int one, boolean global) {
    return new Invalidation(worlds, vmid, one, global, first, last, granule, level);
  }

  Invalidation ofWorlds(int some) {
    return new Invalidation(some, vmid, asid, globalToo, first, last, granule, level);
  }

  Invalidation within(long low, long high) {
    return new Invalidation(worlds, vmid, asid, globalToo, low, high, granule, level);
  }

  Invalidation of(int onlyGranule, int onlyLevel) {
    return new Invalidation(worlds, vmid, asid, globalToo, first, last, onlyGranule, onlyLevel);
  }

  boolean hasWorld(int world) {
    return (worlds & (1 << world)) != 0;
  }

  /// {@return whether one address space of one world is named, so that entries can be found by their place}
  boolean single() {
    return Integer.bitCount(worlds) == 1 && vmid >= 0 && asid >= 0;
  }

  int world() {
    return Integer.numberOfTrailingZeros(worlds);
  }

  int who() {
    return TranslationCache.who(asid, vmid);
  }
}
