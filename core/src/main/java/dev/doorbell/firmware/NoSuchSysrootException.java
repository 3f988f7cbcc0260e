package dev.doorbell.firmware;

/// The folder or file named as root is not there or cannot be opened.
public final class NoSuchSysrootException extends FirmwareException {
  private static final long serialVersionUID = 1L;

  NoSuchSysrootException(String message) {
    super(message);
  }
}
