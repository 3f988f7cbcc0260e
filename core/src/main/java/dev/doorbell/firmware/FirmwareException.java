package dev.doorbell.firmware;

/// A description of a machine that cannot be read at all.
public abstract class FirmwareException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FirmwareException(String message) {
    super(message);
  }
}
