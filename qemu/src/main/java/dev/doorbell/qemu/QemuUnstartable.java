package dev.doorbell.qemu;

import java.io.IOException;

/// What QEMU needs around it could not be made: a folder for its sockets, its memory, or the process.
public final class QemuUnstartable extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuUnstartable(String what, IOException cause) {
    super(
        "cannot make %s for QEMU: %s".formatted(what, why(cause)),
        "check that the folder for temporary files exists, is writable, has room, and has a short name",
        cause);
  }

  /// What is more special than an IOException often tells nothing but a name.
  private static String why(IOException cause) {
    return cause.getClass() == IOException.class
        ? String.valueOf(cause.getMessage())
        : cause.toString();
  }
}
