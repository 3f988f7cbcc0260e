package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;

/// A BAR of a function as the host reaches it.
///
/// @param index the register that it starts at, 0 to 5
/// @param bytes its size, a power of two
/// @param type bits 3:0 where the function's own register does not hold them: those of a VF's are in its PF's SR-IOV capability and read as
///     zero in the VF (PCIe 6.0, 9.3.4.1.11); 0 otherwise
/// @param registers a window onto all of it
public record HostBar(int index, long bytes, int type, RegisterBus registers) {
  /// A BAR whose register tells its type.
  public HostBar(int index, long bytes, RegisterBus registers) {
    this(index, bytes, 0, registers);
  }
}
