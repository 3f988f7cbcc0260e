package dev.doorbell.bus;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what a bus can refuse.
public abstract class BusException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  protected BusException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
