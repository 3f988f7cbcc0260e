package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what this room refuses. The state is as before. Refusals of the rooms below pass through as they are.
public abstract class VfioException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  protected VfioException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  protected VfioException(Refusal refusal, Throwable cause) {
    super(refusal.message(), cause);
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
