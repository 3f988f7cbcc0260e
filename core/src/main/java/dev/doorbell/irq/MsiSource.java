package dev.doorbell.irq;

import java.util.OptionalInt;

/// A device as an MSI controller knows it.
///
/// @param name the function's name, for messages
/// @param deviceId the id that travels with its writes (an ITS's DeviceID); unused by controllers that do not look
/// @param lastBus where that is a requester id which a bridge may replace by others: its messages may come from any function of the buses
///   from deviceId's to this one. Looked at where interrupts are remapped by requester id (x86)
public record MsiSource(String name, int deviceId, OptionalInt lastBus) {
  /// A device whose writes carry one id.
  public MsiSource(String name, int deviceId) {
    this(name, deviceId, OptionalInt.empty());
  }
}
