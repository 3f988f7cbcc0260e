package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;

/// Whoever caches what the tables say, and must be told before a table's memory is used for something else.
@FunctionalInterface
public interface TlbInvalidation {
  /// Nothing caches: the tables are attached to nothing.
  TlbInvalidation NONE = (input, leafOnly) -> {};

  /// Returns when nobody holds a translation of these input addresses any more.
  ///
  /// @param input the addresses, whole granules
  /// @param leafOnly whether only blocks and pages changed; otherwise cached tables must go too
  void invalidate(AddressRange input, boolean leafOnly);
}
