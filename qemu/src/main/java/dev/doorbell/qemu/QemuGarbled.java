package dev.doorbell.qemu;

import org.jspecify.annotations.Nullable;

/// An answer is none that the protocol knows.
public final class QemuGarbled extends QemuException {
  private static final long serialVersionUID = 1L;

  /// @param sent the line that it answers
  /// @param answer what came; shortened
  /// @param expected what should have come
  QemuGarbled(
      String program, String sent, String answer, String expected, @Nullable Throwable cause) {
    super(
        "%s answered '%s' to '%s' instead of %s".formatted(program, answer, sent, expected),
        "check that %s is QEMU and no other program of that name".formatted(program),
        cause);
  }
}
