package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;

/// Root table and context tables of a unit in legacy mode, as the driver writes them. A function without an entry is blocked. The driver's lock
/// guards them.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.2, 9.1, 9.3.
final class ContextTables {
  private static final int PAGE = 4096;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final long root;

  ContextTables(PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.root = frames.allocate(PAGE, PAGE).value();
  }

  long root() {
    return root;
  }

  /// What a function's entry says.
  ///
  /// @param low with P
  /// @param high with the domain id
  record Entry(long low, long high) {
    static final Entry ABSENT = new Entry(0, 0);

    boolean isPresent() {
      return P.isSet(low);
    }

    int domain() {
      return DID.getInt(high);
    }
  }

  /// {@return an entry that leads to tables}
  static Entry translated(VtdAddressSpace space) {
    return new Entry(
        P.mask() | TT.place(TT_SECOND_STAGE) | SSPTPTR.place(space.root()),
        AW.place(space.levels() - VtdRegisters.SAGAW_FEWEST_LEVELS) | DID.place(space.domain()));
  }

  /// {@return an entry that lets addresses pass}
  ///
  /// @param levels the most that the unit has
  static Entry passing(int domain, int levels) {
    return new Entry(
        P.mask() | TT.place(TT_PASS_THROUGH),
        AW.place(levels - VtdRegisters.SAGAW_FEWEST_LEVELS) | DID.place(domain));
  }

  Entry get(int sourceId) {
    long table = memory.read64(rootEntry(sourceId));
    if (!ROOT_P.isSet(table)) {
      return Entry.ABSENT;
    }
    long at = CTP.get(table) + (long) (sourceId & 0xff) * CONTEXT_BYTES;
    return new Entry(memory.read64(at), memory.read64(at + Long.BYTES));
  }

  /// Writes an entry in the place of one that is not present, the half with P last.
  void put(int sourceId, Entry entry) {
    long at = slot(sourceId);
    memory.write64(at + Long.BYTES, entry.high());
    memory.publish();
    memory.write64(at, entry.low());
    memory.publish();
  }

  /// Takes an entry's P away, and leaves the rest.
  void remove(int sourceId) {
    long at = slot(sourceId);
    memory.write64(at, P.with(memory.read64(at), 0));
    memory.publish();
  }

  private long rootEntry(int sourceId) {
    return root + (long) (sourceId >>> Byte.SIZE) * ROOT_BYTES;
  }

  private long slot(int sourceId) {
    long at = rootEntry(sourceId);
    long entry = memory.read64(at);
    if (!ROOT_P.isSet(entry)) {
      Pa table = frames.allocate(PAGE, PAGE);
      memory.publish();
      entry = CTP.place(table.value()) | ROOT_P.mask();
      memory.write64(at, entry);
    }
    return CTP.get(entry) + (long) (sourceId & 0xff) * CONTEXT_BYTES;
  }
}
