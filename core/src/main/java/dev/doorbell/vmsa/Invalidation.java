package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;

/// What an invalidation names of a {@link TranslationCache}. An entry goes when it meets all of it.
///
/// @param worlds stream worlds, one bit each
/// @param vmid or -1 for any
/// @param asid or -1 for any
/// @param globalToo whether entries without an ASID go although one is named
/// @param range the addresses
/// @param granule base 2 logarithm of the granule, or 0 for any
/// @param level of the leaf descriptor, or 0 for any
public record Invalidation(
    int worlds, int vmid, int asid, boolean globalToo, AddressRange range, int granule, int level) {
  private static final AddressRange EVERYWHERE = new AddressRange(0, -1L);

  /// {@return everything of some worlds}
  public static Invalidation all(int worlds) {
    return new Invalidation(worlds, -1, -1, true, EVERYWHERE, 0, 0);
  }

  public Invalidation withVmid(int one) {
    return new Invalidation(worlds, one, asid, globalToo, range, granule, level);
  }

  public Invalidation withAsid(int one, boolean global) {
    return new Invalidation(worlds, vmid, one, global, range, granule, level);
  }

  public Invalidation ofWorlds(int some) {
    return new Invalidation(some, vmid, asid, globalToo, range, granule, level);
  }

  public Invalidation within(AddressRange part) {
    return new Invalidation(worlds, vmid, asid, globalToo, part, granule, level);
  }

  public Invalidation of(int onlyGranule, int onlyLevel) {
    return new Invalidation(worlds, vmid, asid, globalToo, range, onlyGranule, onlyLevel);
  }

  boolean hasWorld(int world) {
    return (worlds & (1 << world)) != 0;
  }

  long first() {
    return range.start();
  }

  long last() {
    return range.last();
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
