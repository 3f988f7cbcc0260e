package dev.doorbell.qemu;

import org.jspecify.annotations.Nullable;

/// What QEMU needs around it could not be made: a folder for its sockets, its memory, or the process.
public final class QemuUnstartable extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuUnstartable(String what, String why, @Nullable Throwable cause) {
    super(
        "cannot make %s for QEMU: %s".formatted(what, why),
        "check that the folder for temporary files exists, is writable, has room, and has a short name",
        cause);
  }
}
