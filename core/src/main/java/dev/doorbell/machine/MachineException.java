package dev.doorbell.machine;

/// Base of what the machine room refuses.
public abstract class MachineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected MachineException(String message) {
    super(message);
  }
}
