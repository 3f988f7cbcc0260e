package dev.doorbell.iova;

/// Base of what the iova room refuses. The allocator is as before.
public abstract class IovaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected IovaException(String message) {
    super(message);
  }
}
