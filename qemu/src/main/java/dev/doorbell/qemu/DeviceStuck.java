package dev.doorbell.qemu;

/// A device of QEMU's did not do what its work would bring about. QEMU goes on running.
public final class DeviceStuck extends QemuException {
  private static final long serialVersionUID = 1L;

  DeviceStuck(String device, String awaited, String seen) {
    super(
        "%s was made to work, and waiting for %s was in vain: %s".formatted(device, awaited, seen),
        "see that the function masters the bus, that its memory is mapped where it was told, and that QEMU's clock runs if it needs it",
        null);
  }
}
