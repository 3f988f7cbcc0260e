package dev.doorbell.capture;

/// Base of what ends a capture. Nothing is left where the capture was to go.
public abstract class CaptureException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String advice;

  CaptureException(String message, String advice, Throwable cause) {
    super(message, cause);
    this.advice = advice;
  }

  CaptureException(String message, String advice) {
    super(message);
    this.advice = advice;
  }

  /// {@return what to do about it}
  public String advice() {
    return advice;
  }
}
