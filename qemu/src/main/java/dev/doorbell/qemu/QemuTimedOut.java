package dev.doorbell.qemu;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// An answer did not come in time.
public final class QemuTimedOut extends QemuException {
  private static final long serialVersionUID = 1L;

  /// @param more what came of the answer, and what the program printed
  QemuTimedOut(
      String program, String sent, Duration patience, String more, @Nullable Throwable cause) {
    super(
        "%s did not answer '%s' within %d s%s".formatted(program, sent, patience.toSeconds(), more),
        "try again on a machine with less load; when the same line is named again, this QEMU hangs on it",
        cause);
  }
}
