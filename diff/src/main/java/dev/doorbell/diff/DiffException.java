package dev.doorbell.diff;

/// A differential run could not be made.
public abstract class DiffException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DiffException(String message) {
    super(message);
  }
}
