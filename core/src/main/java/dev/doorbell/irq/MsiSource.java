package dev.doorbell.irq;

/// A device as an MSI controller knows it.
///
/// @param name the function's name, for messages
/// @param deviceId the id that travels with its writes (an ITS's DeviceID); unused by controllers that do not look
public record MsiSource(String name, int deviceId) {}
