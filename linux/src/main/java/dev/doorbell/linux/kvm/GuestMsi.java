package dev.doorbell.linux.kvm;

import java.util.OptionalInt;

/// A message as a guest programmed it into its device, or into what it takes for one.
///
/// @param address guest-physical address of the doorbell
/// @param data what is written there
/// @param deviceId what the guest's ITS knows the device by; empty for controllers that do not look
public record GuestMsi(long address, int data, OptionalInt deviceId) {
  /// {@return a message for a controller that does not look at who writes}
  public static GuestMsi of(long address, int data) {
    return new GuestMsi(address, data, OptionalInt.empty());
  }

  /// {@return the same message from a device that an ITS knows}
  public GuestMsi from(int device) {
    return new GuestMsi(address, data, OptionalInt.of(device));
  }
}
