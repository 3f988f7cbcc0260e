package dev.doorbell.iommu;

import dev.doorbell.explain.Source;
import java.util.OptionalInt;

/// A function that is to ring a doorbell, as the irq room describes it.
///
/// @param function its name, such as `0000:01:00.0`
/// @param frame the doorbell
/// @param deviceId the DeviceID by which the controller tells its vectors from others'; empty at one that does not look at who writes
/// @param source where the DeviceID was read
public record Ringer(String function, DoorbellFrame frame, OptionalInt deviceId, Source source) {}
