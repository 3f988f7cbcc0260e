package dev.doorbell.host;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.ioapic.IoapicDriver;

/// A pin of an I/O APIC that has a vector, as what is wired to it would be given one. Closing takes the vector back. Not safe for use from many
/// threads.
public final class WiredPin implements AutoCloseable {
  private final IoapicDriver.Pin pin;

  private WiredPin(IoapicDriver.Pin pin) {
    this.pin = pin;
  }

  /// Gives a pin a vector on the first CPU; polarity and trigger are those that firmware tells. When it throws, the machine is as before.
  ///
  /// @param ioApic the id that firmware gives the I/O APIC
  /// @throws NotAssignable when it is not there, or cannot be driven
  /// @throws IndexOutOfBoundsException when it has no such pin
  /// @throws dev.doorbell.irq.VectorsExhausted when no vector is left
  public static WiredPin of(Host host, int ioApic, int pin) {
    IoapicDriver driver = host.ioApic(ioApic);
    IoapicDriver.Signal signal = signal(host, ioApic, pin);
    if (signal.isLevel() && !driver.answersLevels()) {
      throw new NotAssignable(
          "pin %d of %s".formatted(pin, driver.id()),
          driver.id(),
          "firmware has the pin level-triggered, and this I/O APIC has no EOI register to answer one",
          Source.rule("I/O APIC version below 20h"),
          "take an edge-triggered pin");
    }
    return new WiredPin(driver.connect(pin, signal, 0));
  }

  private static IoapicDriver.Signal signal(Host host, int ioApic, int pin) {
    ApicDescription apic = host.machine().description().apic().orElseThrow();
    long first =
        apic.ioApics().stream()
            .filter(a -> a.apicId() == ioApic)
            .findFirst()
            .map(ApicDescription.IoApic::gsiBase)
            .orElseThrow();
    ApicDescription.Signal s = apic.signal(first + pin);
    if (s.level()) {
      return s.low() ? IoapicDriver.Signal.LOW : IoapicDriver.Signal.HIGH;
    }
    return s.low() ? IoapicDriver.Signal.FALLING : IoapicDriver.Signal.RISING;
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
