package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.SystemBus;

/// Where an SMMU's interrupts lead. All are edges.
///
/// @param eventQueue the event queue became non-empty or overflowed
/// @param globalError an error became active in SMMU_GERROR
/// @param commandSync a CMD_SYNC with SIG_IRQ completed
/// @param msiRequester the id that travels with the SMMU's own MSIs, an ITS's DeviceID
public record SmmuWires(
    InterruptLine eventQueue,
    InterruptLine globalError,
    InterruptLine commandSync,
    int msiRequester) {
  /// Nothing is connected: software polls.
  public static final SmmuWires NONE =
      new SmmuWires(InterruptLine.NONE, InterruptLine.NONE, InterruptLine.NONE, SystemBus.CPU);
}
