package dev.doorbell.vmsa;

/// A copy of one entry of a {@link TranslationCache}: what a look-up found, or what is to be inserted. One per thread in flight
/// and cache, reused.
public final class CacheProbe {
  /// Output address and attributes.
  public long data;

  /// What the kind of cache keeps beside it.
  public long extra;

  /// Base 2 logarithm of the bytes that the entry covers.
  public int size;

  /// What an insertion is of: see {@link TranslationCache#shape}. A look-up leaves it.
  public long shape;

  /// The cache's generation before the walk that the entry comes from.
  public long generation;
}
