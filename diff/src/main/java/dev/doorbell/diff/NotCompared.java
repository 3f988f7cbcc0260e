package dev.doorbell.diff;

/// The other machine has hardware whose differences are not settled.
public final class NotCompared extends DiffException {
  private static final long serialVersionUID = 1L;

  NotCompared(String hardware, String version, String settled) {
    super(
        "the %s of QEMU %s is not compared: its differences are settled for %s; name that one in DOORBELL_QEMU"
            .formatted(hardware, version, settled));
  }
}
