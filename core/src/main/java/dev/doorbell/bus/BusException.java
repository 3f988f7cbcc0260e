package dev.doorbell.bus;

/// Base of what a bus can refuse.
public abstract class BusException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected BusException(String message) {
    super(message);
  }

  protected BusException(String message, Throwable cause) {
    super(message, cause);
  }
}
