package dev.doorbell.hw.gicits;

import dev.doorbell.bus.PhysicalMemory;

/// One table that a GITS_BASER describes, as the model finds entries in it. Immutable.
///
/// **Source**: IHI 0069 H, 5.2.1 (flat and two-level tables), 12.19.1 (GITS_BASER).
final class ItsTableModel {
  /// No entry is there.
  static final long NOWHERE = -1;

  private final PhysicalMemory memory;
  private final boolean valid;
  private final boolean indirect;
  private final long base;
  private final long pageBytes;
  private final long bytes;
  private final int entryBytes;

  ItsTableModel(PhysicalMemory memory, long baser) {
    this.memory = memory;
    valid = GitsRegisters.BASER_VALID.isSet(baser);
    indirect = GitsRegisters.BASER_INDIRECT.isSet(baser);
    base = GitsRegisters.tableAddress(baser);
    pageBytes = GitsRegisters.pageBytes(GitsRegisters.BASER_PAGE_SIZE.get(baser));
    bytes = (GitsRegisters.BASER_SIZE.get(baser) + 1) * pageBytes;
    entryBytes = GitsRegisters.BASER_ENTRY_SIZE.getInt(baser) + 1;
  }

  /// {@return whether the table, or its first level, is large enough for an entry}
  boolean isInRange(long id) {
    long slots = indirect ? bytes / GitsRegisters.LEVEL1_ENTRY_BYTES : bytes / entryBytes;
    return valid && (indirect ? id / (pageBytes / entryBytes) : id) < slots;
  }

  /// {@return the address of an entry, or {@link #NOWHERE}}
  ///
  /// @throws dev.doorbell.bus.BusErrorException when the level-1 table lies outside memory
  long entry(long id) {
    if (!valid) {
      return NOWHERE;
    }
    if (!indirect) {
      return id < bytes / entryBytes ? base + id * entryBytes : NOWHERE;
    }
    long perPage = pageBytes / entryBytes;
    long slot = id / perPage;
    if (slot >= bytes / GitsRegisters.LEVEL1_ENTRY_BYTES) {
      return NOWHERE;
    }
    long level1 = memory.read(base + slot * GitsRegisters.LEVEL1_ENTRY_BYTES, Long.BYTES);
    if (!GitsRegisters.LEVEL1_VALID.isSet(level1)) {
      return NOWHERE;
    }
    return (GitsRegisters.LEVEL1_ADDRESS.get(level1) & -pageBytes) + id % perPage * entryBytes;
  }
}
