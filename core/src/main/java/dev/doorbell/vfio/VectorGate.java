package dev.doorbell.vfio;

import dev.doorbell.irq.InterruptSink;

/// Leads a vector's interrupt to its trigger, which may be exchanged while the vector is live.
final class VectorGate implements InterruptSink {
  private volatile Trigger trigger;

  VectorGate(Trigger trigger) {
    this.trigger = trigger;
  }

  void lead(Trigger to) {
    trigger = to;
  }

  Trigger trigger() {
    return trigger;
  }

  void signal() {
    trigger.signalled();
  }

  @Override
  public void arrived(int intid, int cpu) {
    signal();
  }
}
