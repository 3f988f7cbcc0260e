package dev.doorbell.hw.pcie;

/// What became of a device's wish to interrupt.
public enum Firing {
  /// The message went out and something took it.
  SENT,
  /// The message went out and nothing took it: an IOMMU fault, or no doorbell there.
  LOST,
  /// Masked: the vector is pending and fires when it is unmasked.
  PENDING,
  /// Messages are off, the function may not master the bus, or it was not given that vector. Nothing is remembered.
  OFF
}
