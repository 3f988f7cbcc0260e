package dev.doorbell.explain;

import java.util.OptionalLong;

/// A machine's memory as a walker reads tables in it: live, or a dump of some of its pages.
@FunctionalInterface
public interface MemoryView {
  /// Bytes of the pages that sources are told in.
  long PAGE_BYTES = 4096;

  /// {@return the little-endian 64-bit word at a physical address, or empty when it cannot be seen}
  ///
  /// @param pa a multiple of 8
  OptionalLong read64(long pa);

  /// {@return the aligned 32-bit word at a physical address, or empty when it cannot be seen}
  ///
  /// @param pa a multiple of 4
  default OptionalLong read32(long pa) {
    OptionalLong word = read64(pa & -Long.BYTES);
    int shift = (int) (pa & Integer.BYTES) * Byte.SIZE;
    return word.isEmpty()
        ? word
        : OptionalLong.of(Integer.toUnsignedLong((int) (word.getAsLong() >>> shift)));
  }

  /// {@return the byte at a physical address, or empty when it cannot be seen}
  default OptionalLong read8(long pa) {
    OptionalLong word = read64(pa & -Long.BYTES);
    int shift = (int) (pa & (Long.BYTES - 1)) * Byte.SIZE;
    return word.isEmpty() ? word : OptionalLong.of(word.getAsLong() >>> shift & 0xff);
  }

  /// {@return how the place of an entry is told to people: its page and the offset in it}
  default Source source(long pa) {
    return Source.at("memory page 0x" + Long.toHexString(pa & -PAGE_BYTES), pa & (PAGE_BYTES - 1));
  }
}
