package dev.doorbell.qemu;

/// There is no QEMU to start.
public final class QemuMissing extends QemuException {
  private static final long serialVersionUID = 1L;

  /// @param program what was looked for
  /// @param where where it was looked for
  /// @param debianPackage the package that has it
  QemuMissing(String program, String where, String debianPackage) {
    super(
        "%s is not %s".formatted(program, where),
        "install it (Debian and Ubuntu: apt-get install %s), or name one in the environment variable %s"
            .formatted(debianPackage, QemuBinary.VARIABLE),
        null);
  }
}
