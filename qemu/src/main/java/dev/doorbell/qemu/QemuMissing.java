package dev.doorbell.qemu;

/// There is no QEMU to start.
public final class QemuMissing extends QemuException {
  private static final long serialVersionUID = 1L;

  /// @param program what was looked for
  /// @param where where it was looked for
  /// @param debianPackage the package that has it
  /// @param variable the environment variable that can name one
  QemuMissing(String program, String where, String debianPackage, String variable) {
    super(
        "%s is not %s".formatted(program, where),
        "install it (Debian and Ubuntu: apt-get install %s), or name one in the environment variable %s"
            .formatted(debianPackage, variable),
        null);
  }
}
