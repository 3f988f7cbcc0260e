package dev.doorbell.vfio;

/// One vector of an open function.
///
/// @param device whose it is
/// @param number from 0
public record DeviceVector(Device device, int number) {
  /// Lets the vector raise a guest's interrupt instead of its trigger. On Linux the kernel leads the one to the other: no code of this process
  /// runs for an interrupt.
  ///
  /// {@return what ends it}
  ///
  /// @param gsi the guest's number
  /// @throws IllegalArgumentException when the vector is not enabled
  public Forwarding forwardTo(Guest guest, int gsi) {
    return Forwarding.begin(this, guest.irq(gsi));
  }
}
