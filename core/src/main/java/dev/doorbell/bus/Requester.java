package dev.doorbell.bus;

/// Who an access comes from, as those on its way number devices.
///
/// @param streamId to the IOMMU
/// @param deviceId to an MSI controller
public record Requester(int streamId, int deviceId) {}
