package dev.doorbell.capture;

/// The place for a capture cannot be used.
public final class OutputRefusedException extends CaptureException {
  private static final long serialVersionUID = 1L;

  OutputRefusedException(String message, String advice) {
    super(message, advice);
  }
}
