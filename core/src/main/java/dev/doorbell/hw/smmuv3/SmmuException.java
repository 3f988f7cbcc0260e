package dev.doorbell.hw.smmuv3;

/// Base of what an SMMUv3's driver throws when the hardware does not do what it was told.
public abstract class SmmuException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected SmmuException(String message) {
    super(message);
  }
}
