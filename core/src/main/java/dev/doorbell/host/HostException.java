package dev.doorbell.host;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what the host refuses. The state is as before.
public abstract class HostException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  protected HostException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
