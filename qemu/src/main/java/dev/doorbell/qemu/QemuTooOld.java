package dev.doorbell.qemu;

/// QEMU is older than what Doorbell drives.
public final class QemuTooOld extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuTooOld(QemuBinary binary, QemuVersion found, QemuVersion needed) {
    super(
        "%s is version %s, and %s is needed".formatted(binary, found, needed),
        "install QEMU %s or later (Debian and Ubuntu: package %s, from a release or its backports that have it), or name one in the environment variable %s"
            .formatted(needed, binary.debianPackage(), binary.variable()),
        null);
  }
}
