package dev.doorbell.pci;

/// What became of a device's wish to interrupt, as far as the machine tells.
public enum Firing {
  /// The message went out and something took it.
  SENT,
  /// The message went out and nothing took it: an IOMMU fault, or no doorbell there.
  LOST,
  /// Masked: the vector is pending and fires when it is unmasked.
  PENDING,
  /// Messages are off, the function may not master the bus, or it was not given that vector. Nothing is remembered.
  OFF,
  /// The device was made to send a message, and tells nobody what became of it: so it is with hardware.
  UNTOLD
}
