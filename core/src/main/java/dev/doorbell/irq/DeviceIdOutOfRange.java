package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A device's id is larger than its MSI controller's table can hold.
public final class DeviceIdOutOfRange extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param ids ids that the controller can hold, from 0
  /// @param limit what sets the number, and where that was read
  public DeviceIdOutOfRange(MsiSource source, String controller, long ids, Source limit) {
    super(
        new Refusal(
            "DeviceIdOutOfRange",
            "%s has DeviceID 0x%x and %s has DeviceIDs 0 to 0x%x"
                .formatted(source.name(), source.deviceId(), controller, ids - 1),
            Optional.empty(),
            Optional.empty(),
            List.of(source.name(), controller),
            limit,
            "check the firmware's id mapping (IORT, msi-map) of " + source.name()));
  }
}
