package dev.doorbell.linux;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;

/// Base of what this room refuses, or the kernel refuses it.
public abstract class LinuxException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  protected LinuxException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public final Refusal refusal() {
    return refusal;
  }
}
