package dev.doorbell.capture;

/// Writing a capture failed half-way; what had been written was removed.
public final class CaptureFailedException extends CaptureException {
  private static final long serialVersionUID = 1L;

  CaptureFailedException(String message, String advice, Throwable cause) {
    super(message, advice, cause);
  }
}
