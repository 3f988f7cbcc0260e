package dev.doorbell.qemu;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// An answer did not come in time.
public final class QemuTimedOut extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuTimedOut(
      String program, String sent, Duration patience, String said, @Nullable Throwable cause) {
    super(
        "%s did not answer '%s' within %d s%s"
            .formatted(
                program, sent, patience.toSeconds(), said.isEmpty() ? "" : "; it printed: " + said),
        "try again on a machine with less load; when the same line is named again, this QEMU hangs on it",
        cause);
  }
}
