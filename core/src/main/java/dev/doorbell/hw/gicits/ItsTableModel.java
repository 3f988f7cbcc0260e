package dev.doorbell.hw.gicits;

import dev.doorbell.bus.PhysicalMemory;

/// One table that a GITS_BASER describes, as the model finds entries in it. Immutable.
///
/// **Source**: IHI 0069 H, 5.2.1 (flat and two-level tables), 12.19.1 (GITS_BASER).
final class ItsTableModel {
  /// No entry is there.
  static final long NOWHERE = -1;

  private static final int LEVEL1_SHIFT =
      Integer.numberOfTrailingZeros(GitsRegisters.LEVEL1_ENTRY_BYTES);

  private final PhysicalMemory memory;
  private final boolean indirect;
  private final long base;
  private final long pageBytes;
  // Pages and the model's entries are powers of two: a look-up divides by none of them.
  private final int entryShift;
  private final int perPageShift;
  // Entries, or those of the first level; 0 for a table that is not valid.
  private final long slots;

  ItsTableModel(PhysicalMemory memory, long baser) {
    this.memory = memory;
    indirect = GitsRegisters.BASER_INDIRECT.isSet(baser);
    base = GitsRegisters.tableAddress(baser);
    pageBytes = GitsRegisters.pageBytes(GitsRegisters.BASER_PAGE_SIZE.get(baser));
    long bytes = (GitsRegisters.BASER_SIZE.get(baser) + 1) * pageBytes;
    entryShift = Long.numberOfTrailingZeros(GitsRegisters.BASER_ENTRY_SIZE.getInt(baser) + 1);
    perPageShift = Long.numberOfTrailingZeros(pageBytes) - entryShift;
    slots =
        GitsRegisters.BASER_VALID.isSet(baser)
            ? bytes >>> (indirect ? LEVEL1_SHIFT : entryShift)
            : 0;
  }

  /// {@return whether the table, or its first level, is large enough for an entry}
  boolean isInRange(long id) {
    return (indirect ? id >>> perPageShift : id) < slots;
  }

  /// {@return the address of an entry, or {@link #NOWHERE}}
  ///
  /// @throws dev.doorbell.bus.BusErrorException when the level-1 table lies outside memory
  long entry(long id) {
    if (!isInRange(id)) {
      return NOWHERE;
    }
    if (!indirect) {
      return base + (id << entryShift);
    }
    long level1 = memory.read64(base + (id >>> perPageShift << LEVEL1_SHIFT));
    if (!GitsRegisters.LEVEL1_VALID.isSet(level1)) {
      return NOWHERE;
    }
    long within = id & ((1L << perPageShift) - 1);
    return (GitsRegisters.LEVEL1_ADDRESS.get(level1) & -pageBytes) + (within << entryShift);
  }
}
