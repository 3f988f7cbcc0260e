package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what the irq room refuses. The state is as before.
public abstract class IrqException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  protected IrqException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
