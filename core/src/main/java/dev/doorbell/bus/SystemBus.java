package dev.doorbell.bus;

/// What lies behind the IOMMU: memory and devices by physical address. The side that models see. Allocates nothing on
/// writes. Safe for use from many threads.
public interface SystemBus {
  /// The requester of a CPU's accesses.
  int CPU = -1;

  /// {@return whether something took the write}
  ///
  /// @param requester the id that travels with a device's write to an MSI controller, or {@link #CPU}
  BusOutcome write(long pa, long value, int bytes, int requester);

  /// {@return what is there}
  BusRead read(long pa, int bytes);
}
