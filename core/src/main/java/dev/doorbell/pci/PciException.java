package dev.doorbell.pci;

/// Base of what the pci room refuses.
public abstract class PciException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected PciException(String message) {
    super(message);
  }
}
