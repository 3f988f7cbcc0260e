package dev.doorbell.hw.amdvi;

import java.util.concurrent.atomic.AtomicBoolean;

/// The interrupt of a model's own: what was raised is sent once, after the access that raised it. Safe for use from many threads.
final class OwnInterrupt {
  private final AtomicBoolean raised = new AtomicBoolean();

  void raise() {
    raised.set(true);
  }

  /// {@return whether it is to be sent, once}
  boolean take() {
    return raised.getPlain() && raised.getAndSet(false);
  }
}
