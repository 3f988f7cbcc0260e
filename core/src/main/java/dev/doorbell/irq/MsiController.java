package dev.doorbell.irq;

import java.util.Optional;

/// One MSI controller as the irq room drives it; each piece of MSI hardware has a driver that implements it. Methods return only
/// after the hardware has taken the change. Safe for use from many threads.
public interface MsiController {
  /// {@return the id of the machine description, such as `its@0x8080000`}
  String id();

  /// {@return whether a device can raise only its own vectors, whatever it writes}
  boolean isolated();

  /// {@return vectors that one more device could be given at most}
  int vectorsFree();

  /// {@return whether a device can be given further vectors while it has some}
  default boolean givesOneByOne() {
    return true;
  }

  /// {@return what lets vectors be posted to guests, where the controller can}
  default Optional<InterruptPosting> posting() {
    return Optional.empty();
  }

  /// Takes vectors for a device. They are inactive: the controller drops their messages. A controller whose doorbell depends on the CPU writes
  /// nothing to hardware here, so that the doorbells can be claimed afterwards, and a vector's {@link VectorBlock#cpu} is where it was taken.
  ///
  /// @param source who
  /// @param count how many, above 0
  /// @param contiguous whether data must be consecutive and start at a multiple of `count`, a power of two (multi-message MSI)
  /// @throws VectorsExhausted when there are fewer; nothing is taken then
  VectorBlock allocate(MsiSource source, int count, boolean contiguous);

  /// Takes interrupts that have arrived and not yet been collected, from the hardware, and tells them by {@link VectorBlock#number}.
  ///
  /// {@return how many}
  int collect(InterruptSink sink);
}
