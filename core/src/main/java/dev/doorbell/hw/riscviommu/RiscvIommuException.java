package dev.doorbell.hw.riscviommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what a RISC-V IOMMU's driver throws when the hardware does not do what it was told, or cannot.
public abstract class RiscvIommuException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected RiscvIommuException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
