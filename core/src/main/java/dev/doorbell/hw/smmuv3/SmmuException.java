package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what an SMMUv3's driver throws when the hardware does not do what it was told, or cannot.
public abstract class SmmuException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected SmmuException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
