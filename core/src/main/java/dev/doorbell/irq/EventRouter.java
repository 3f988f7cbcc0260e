package dev.doorbell.irq;

/// An interrupt controller that sources store their events to, and that knows itself where each source's go (XIVE).
public interface EventRouter extends SourceRouter {
  /// {@return the address that a bridge stores its events to}
  long notifyPort();
}
