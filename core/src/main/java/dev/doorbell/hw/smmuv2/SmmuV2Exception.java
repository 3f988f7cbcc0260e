package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what an SMMUv2's driver throws when the hardware does not do what it was told, or cannot.
public abstract class SmmuV2Exception extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected SmmuV2Exception(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
