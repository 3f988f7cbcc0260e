package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import java.util.List;

/// A machine with an IOMMU, and the use that scenarios make of its RAM.
///
/// @param tables where tables and queues lie, in RAM
/// @param targets what tables lead to, behind the tables
/// @param requesters requester ids of the devices that can write
record IommuBoard(
    AddressRange ram, AddressRange tables, AddressRange targets, List<Integer> requesters) {
  IommuBoard {
    requesters = List.copyOf(requesters);
  }

  /// {@return whether an access is one of RAM}
  boolean holds(long pa, int bytes) {
    return ram.contains(pa) && ram.contains(pa + bytes - 1);
  }

  /// {@return RAM as the models have it, all zero}
  FlatMemory memory() {
    return FlatMemory.of(ram.start(), Math.toIntExact(ram.bytes()));
  }

  /// {@return all that scenarios use}
  AddressRange used() {
    return new AddressRange(tables.start(), targets.last());
  }
}
