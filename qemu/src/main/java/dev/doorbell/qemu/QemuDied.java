package dev.doorbell.qemu;

import org.jspecify.annotations.Nullable;

/// QEMU ended, or let go of the connection, while it was needed.
public final class QemuDied extends QemuException {
  private static final long serialVersionUID = 1L;

  /// @param how how it ended
  /// @param sent the last line that it was sent
  /// @param said the end of what it printed; may be empty
  QemuDied(QemuBinary program, String how, String sent, String said, @Nullable Throwable cause) {
    super(
        "%s %s; the last line sent to it was '%s'%s"
            .formatted(program, how, sent, said.isEmpty() ? "" : "; it printed: " + said),
        sent.equals(QemuProcess.START)
            ? "look at what it printed; the environment variable %s names another program"
                .formatted(program.variable())
            : "look at what it printed; the line sent may be one that this version of QEMU does not survive",
        cause);
  }
}
