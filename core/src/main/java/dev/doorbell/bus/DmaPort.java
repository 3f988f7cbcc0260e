package dev.doorbell.bus;

/// A PCI function's way upstream: how an endpoint model reaches memory and doorbells, MSIs included. Bridges, requester
/// aliases, the IOMMU and the memory map lie behind it. Safe for use from many threads.
public interface DmaPort {
  /// Writes up to 8 bytes, little-endian.
  ///
  /// {@return whether the write arrived somewhere; a real device would not be told}
  BusOutcome write(int requesterId, long address, long value, int bytes);

  /// {@return what was read; all ones where nothing answered}
  BusRead read(int requesterId, long address, int bytes);
}
