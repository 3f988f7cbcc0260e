package dev.doorbell.iova;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what the iova room refuses. The allocator is as before.
public abstract class IovaException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected IovaException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
