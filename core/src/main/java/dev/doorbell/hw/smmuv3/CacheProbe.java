package dev.doorbell.hw.smmuv3;

/// A copy of one entry of a {@link TranslationCache}: what a look-up found, or what is to be inserted. One per thread in flight
/// and cache, reused.
final class CacheProbe {
  /// Output address and attributes.
  long data;

  /// What the kind of cache keeps beside it.
  long extra;

  /// Base 2 logarithm of the bytes that the entry covers.
  int size;

  /// The cache's generation before the walk that the entry comes from.
  long generation;
}
