package dev.doorbell.vfio;

/// A vector that raises a guest's interrupt. For one thread.
public final class Forwarding implements AutoCloseable {
  private final DeviceVector vector;
  private final Trigger before;
  private final GuestIrq irq;
  private boolean ended;

  private Forwarding(DeviceVector vector, Trigger before, GuestIrq irq) {
    this.vector = vector;
    this.before = before;
    this.irq = irq;
  }

  /// Takes a way into a guest over, and closes it when the vector cannot be led there.
  static Forwarding begin(DeviceVector vector, GuestIrq irq) {
    try {
      Device d = vector.device();
      Trigger before =
          d.trigger(vector.number())
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "%s has no vector %d enabled".formatted(d.function(), vector.number())));
      d.add(vector.number(), irq.trigger());
      return new Forwarding(vector, before, irq);
    } catch (RuntimeException | Error e) {
      irq.close();
      throw e;
    }
  }

  /// Gives the vector back to the trigger that it had, with a signal that the guest has not seen. A vector that was disabled or led elsewhere
  /// meanwhile is left alone.
  @Override
  public void close() {
    if (ended) {
      return;
    }
    ended = true;
    try (irq) {
      Device d = vector.device();
      boolean ours = d.trigger(vector.number()).filter(t -> t.equals(irq.trigger())).isPresent();
      if (ours) {
        // First the vector, so that nothing arrives on a way that has ended.
        d.add(vector.number(), before);
        if (irq.disconnect()) {
          before.signalled();
        }
      }
    }
  }
}
