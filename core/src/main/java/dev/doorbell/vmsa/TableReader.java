package dev.doorbell.vmsa;

import dev.doorbell.explain.Source;
import java.util.OptionalLong;

/// Where a walker reads table entries: a machine's memory, or a dump of it.
@FunctionalInterface
public interface TableReader {
  /// Bytes of the pages that sources are told in.
  long PAGE_BYTES = 4096;

  /// {@return the little-endian 64-bit word at a physical address, or empty when it cannot be seen}
  ///
  /// @param pa a multiple of 8
  OptionalLong read64(long pa);

  /// {@return how the place of an entry is told to people: its page and the offset in it}
  default Source source(long pa) {
    return Source.at("memory page 0x" + Long.toHexString(pa & -PAGE_BYTES), pa & (PAGE_BYTES - 1));
  }
}
