package dev.doorbell.bus;

/// A model of a device with registers in physical address space. Safe for use from many threads.
public interface MmioDevice {
  /// {@return the answer to a read by a CPU or a device}
  ///
  /// @param offset bytes from the start of the device's window
  /// @param bytes 1, 2, 4 or 8
  BusRead read(long offset, int bytes);

  /// Takes a write.
  ///
  /// @param requester the id that travels with the write (an ITS's DeviceID), or {@link SystemBus#CPU}
  BusOutcome write(long offset, long value, int bytes, int requester);
}
