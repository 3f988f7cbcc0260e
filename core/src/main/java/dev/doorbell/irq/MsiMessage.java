package dev.doorbell.irq;

/// What a device is told to write.
///
/// @param address as the device emits it: an IOVA where the IOMMU translates MSIs
/// @param data the datum
public record MsiMessage(long address, int data) {}
