package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what this room refuses.
public abstract class VmmException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  protected VmmException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
