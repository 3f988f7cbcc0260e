package dev.doorbell.irq;

import java.util.IdentityHashMap;
import java.util.List;

/// The interrupts that a machine's MSI controllers deliver, and who waits for each. Safe for use from many threads.
public final class Interrupts {
  private final List<MsiController> controllers;
  private final IdentityHashMap<MsiController, InterruptDispatch> dispatch =
      new IdentityHashMap<>();

  private Interrupts(List<MsiController> controllers) {
    this.controllers = List.copyOf(controllers);
    controllers.forEach(c -> dispatch.put(c, new InterruptDispatch()));
  }

  /// {@return the interrupts of some controllers, nobody waiting for any}
  public static Interrupts of(List<MsiController> controllers) {
    return new Interrupts(controllers);
  }

  /// {@return who waits for a controller's interrupts}
  ///
  /// @throws IllegalArgumentException when the machine has no such controller
  public InterruptDispatch at(MsiController controller) {
    InterruptDispatch d = dispatch.get(controller);
    if (d == null) {
      throw new IllegalArgumentException(
          controller.id() + " is not one of this machine's MSI controllers");
    }
    return d;
  }

  /// Takes what has arrived from the hardware and hands it on.
  ///
  /// {@return how many interrupts arrived}
  public int collect() {
    int n = 0;
    // By index: an iterator would be allocated on the way of every interrupt.
    for (int i = 0; i < controllers.size(); i++) {
      MsiController c = controllers.get(i);
      n += c.collect(at(c));
    }
    return n;
  }

  /// {@return interrupts that arrived and nobody waited for}
  public long unclaimed() {
    return dispatch.values().stream().mapToLong(InterruptDispatch::unclaimed).sum();
  }
}
