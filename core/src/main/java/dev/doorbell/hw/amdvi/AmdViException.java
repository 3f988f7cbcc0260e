package dev.doorbell.hw.amdvi;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what an AMD IOMMU's driver throws when the hardware does not do what it was told, or cannot.
public abstract class AmdViException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected AmdViException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
