package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.Collection;
import java.util.Set;

/// Tables of one geometry in memory: which descriptor an address selects, what lies below one, and where tables come from and go to. What
/// fills tables and what clears them share it.
///
/// @param retired tables that caches may still know: they are given back when all are closed
/// @param quarantined tables that memory did not take a write to: they are never given back
record TableSpace(
    VmsaGeometry geometry,
    TableFormat format,
    PhysicalMemory memory,
    Frames frames,
    Collection<Long> retired,
    Set<Long> quarantined) {
  /// {@return what the descriptor for an address covers of a range}
  AddressRange clip(long address, int level, AddressRange range) {
    long start = geometry.alignDown(address, level);
    AddressRange covered = AddressRange.ofSize(start, geometry.bytes(level));
    return covered.intersection(range).orElseThrow();
  }

  /// {@return where the descriptor for an input address is}
  long slot(long table, long input, int level) {
    return table + (long) geometry.index(input, level) * DescriptorLayout.BYTES;
  }

  /// {@return the first input address of the next descriptor}
  long next(long at, int level) {
    return geometry.alignDown(at, level) + geometry.bytes(level);
  }

  /// {@return the last input address that a descriptor covers of a range}
  long upTo(long at, int level, long last) {
    return Math.min(next(at, level) - 1, last);
  }

  /// {@return an empty table of a level, at a multiple of its size}
  long allocate(int level) {
    long bytes = geometry.tableAlignment(level);
    return frames.allocate(bytes, bytes).value();
  }

  /// Gives back a table of a level.
  void free(long table, int level) {
    if (!quarantined.contains(table)) {
      frames.free(new Pa(table), geometry.tableAlignment(level));
    }
  }

  /// Gives back tables that are no start tables.
  void giveBack(Iterable<Long> tables) {
    for (long table : tables) {
      if (!quarantined.contains(table)) {
        frames.free(new Pa(table), geometry.wholeTableBytes());
      }
    }
  }

  /// Collects the tables below a table, children first.
  ///
  /// {@return bytes mapped by it}
  long collect(long table, int level, Collection<Long> into) {
    long mapped = 0;
    for (int i = 0; i < geometry.entries(level); i++) {
      long word = memory.read64(table + (long) i * DescriptorLayout.BYTES);
      if (format.isLeaf(word, level)) {
        mapped += geometry.bytes(level);
      } else if (format.isTable(word, level)) {
        long below = format.address(geometry, word);
        mapped += collect(below, level + 1, into);
        into.add(below);
      }
    }
    return mapped;
  }

  boolean isEmpty(long table, int level) {
    for (int i = 0; i < geometry.entries(level); i++) {
      if (memory.read64(table + (long) i * DescriptorLayout.BYTES) != 0) {
        return false;
      }
    }
    return true;
  }

  /// {@return the first mapped input address in the range, or -1}
  long firstMapped(long table, int level, long start, long last) {
    for (long at = start; at <= last; at = next(at, level)) {
      long word = memory.read64(slot(table, at, level));
      if (format.isLeaf(word, level)) {
        return at;
      }
      if (format.isTable(word, level)) {
        long found =
            firstMapped(format.address(geometry, word), level + 1, at, upTo(at, level, last));
        if (found >= 0) {
          return found;
        }
      }
    }
    return -1;
  }
}
