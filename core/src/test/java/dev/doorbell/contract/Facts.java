package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import java.util.List;

/// What a machine is, in plain numbers.
///
/// @param tables one for each granule
/// @param windows in how many windows of one size all mappings of a domain must lie; 0 where tables have pages
/// @param hitless whether a function's messages pass while its translation is replaced
/// @param byBridge whether a write counts as its function's, whatever requester id is on it
/// @param base about where IOVAs are used
/// @param arena where canaries lie in memory
record Facts(
    List<Function> functions,
    int iommus,
    int cpus,
    List<Tables> tables,
    int windows,
    boolean hitless,
    boolean byBridge,
    long base,
    long arena) {
  /// What tables of a granule translate.
  ///
  /// @param shift log2 of the granule
  /// @param iovas ascending; more than one range where tables have windows that lie apart
  record Tables(int shift, List<AddressRange> iovas) {
    long last() {
      return iovas.getLast().last();
    }
  }

  /// IOVAs that a group reserves.
  ///
  /// @param taken whether its owner cannot use them
  /// @param direct whether they lead to the memory of the same address
  record Region(long start, long last, boolean taken, boolean direct) {
    boolean meets(long first, long end) {
      return start <= end && first <= last;
    }
  }

  /// A register that messages are written to.
  ///
  /// @param at its physical address
  /// @param frameStart of the frame that holds it, which its users may be let write to
  record Door(long at, long frameStart, long frameLast) {}

  /// @param doors where its messages are written to: one, or one for each CPU
  /// @param translated whether its messages meet the tables; those that do not go to addresses of their own
  /// @param isolated whether the controller tells functions apart
  /// @param vectors how many the controller has
  record Function(
      String name,
      int requesterId,
      String controller,
      int deviceId,
      List<Door> doors,
      boolean translated,
      boolean isolated,
      int vectors,
      int size,
      boolean msi,
      boolean maskable,
      boolean address64,
      List<Region> regions) {
    /// {@return whether each CPU has a doorbell of its own, with interrupts of its own}
    boolean perCpu() {
      return doors.size() > 1;
    }

    /// {@return where messages for a CPU are written to}
    Door door(int cpu) {
      return perCpu() ? doors.get(cpu) : doors.getFirst();
    }

    /// {@return the CPU that a vector starts at: with a doorbell for each, messages of MSI have the first one's}
    int startsAt(int vector, int cpus) {
      return perCpu() && msi ? 0 : vector % cpus;
    }
  }

  /// {@return what tables of a granule translate}
  Tables tables(int shift) {
    return tables.stream().filter(t -> t.shift() == shift).findFirst().orElseThrow();
  }

  /// 256 pages of 4 KiB.
  static final int PAGES = 256;

  /// Offset in each page of the word that is looked at; doorbells have the same.
  static final int WORD = 0x40;

  static final int UNITS = 8;

  /// IOVAs beside what lies at {@link #base}, from the first one on.
  static final long HIGH = 0x1_2345_0000L;

  /// Where regions that lead to memory lie, as an offset from the arena.
  static final long DIRECT = 0x4_0000;
}
