package dev.doorbell.qemu;

/// QEMU runs, and its machine is none that Doorbell can drive.
public final class QemuUnusable extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuUnusable(String program, String why) {
    super(
        "the machine of %s cannot be driven: %s".formatted(program, why),
        "use a QEMU whose machine virt has a device tree, ECAM and the devices asked for",
        null);
  }
}
