package dev.doorbell.host;

import dev.doorbell.hw.ioapic.IoapicDriver;

/// A pin of an I/O APIC that has a vector, as what is wired to it would be given one. Closing takes the vector back. Not safe for use from many
/// threads.
public final class WiredPin implements AutoCloseable {
  private final IoapicDriver.Pin pin;

  private WiredPin(IoapicDriver.Pin pin) {
    this.pin = pin;
  }

  /// Gives a pin a vector on the first CPU; it is edge-triggered, as the pins of ISA devices are. When it throws, the machine is as before.
  ///
  /// @param ioApic the id that firmware gives the I/O APIC
  /// @throws NotAssignable when it is not there, or cannot be driven
  /// @throws IndexOutOfBoundsException when it has no such pin
  /// @throws dev.doorbell.irq.VectorsExhausted when no vector is left
  public static WiredPin of(Host host, int ioApic, int pin) {
    return new WiredPin(host.ioApic(ioApic).connect(pin, IoapicDriver.Signal.RISING, 0));
  }

  /// {@return the number under which the local APICs' controller tells of the pin's interrupts}
  public int vector() {
    return pin.vector();
  }

  @Override
  public void close() {
    pin.disconnect();
  }
}
