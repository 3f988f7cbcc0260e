package dev.doorbell.host;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.WireSignal;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.aplic.AplicDriver;
import dev.doorbell.hw.ioapic.IoapicDriver;
import dev.doorbell.irq.Signal;
import dev.doorbell.irq.Wire;

/// A pin of an I/O APIC, or a source of an APLIC, that has a vector, as what is wired to it would be given one. Closing takes the vector back. Not
/// safe for use from many threads.
public final class WiredPin implements AutoCloseable {
  private final Wire wire;

  private WiredPin(Wire wire) {
    this.wire = wire;
  }

  /// Gives a pin a vector on the first CPU; polarity and trigger are those that firmware tells. When it throws, the machine is as before.
  ///
  /// @param ioApic the id that firmware gives the I/O APIC
  /// @throws NotAssignable when it is not there, or cannot be driven
  /// @throws IndexOutOfBoundsException when it has no such pin
  /// @throws dev.doorbell.irq.VectorsExhausted when no vector is left
  public static WiredPin of(Host host, int ioApic, int pin) {
    IoapicDriver driver = host.ioApic(ioApic);
    Signal signal = signal(pinSignal(host, ioApic, pin));
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

  /// The same of a source of an APLIC.
  ///
  /// @param aplic the number that it is called by
  /// @throws NotAssignable when it is not there, or cannot be driven
  /// @throws dev.doorbell.hw.aplic.SourceRefused when the source is not this domain's
  /// @throws dev.doorbell.hw.aplic.DirectDelivery when the APLIC sends no messages
  /// @throws IndexOutOfBoundsException when it has no such source
  /// @throws dev.doorbell.irq.VectorsExhausted when no identity is left
  public static WiredPin ofAplic(Host host, int aplic, int source) {
    AplicDriver driver = host.aplic(aplic);
    WireSignal told =
        host.machine().description().imsic().stream()
            .flatMap(i -> i.aplics().stream())
            .filter(a -> a.number() == aplic)
            .findFirst()
            .map((AplicDescription a) -> a.signal(source))
            .orElseThrow();
    return new WiredPin(driver.connect(source, signal(told), 0));
  }

  private static Signal signal(WireSignal told) {
    return Signal.of(told.low(), told.level());
  }

  private static WireSignal pinSignal(Host host, int ioApic, int pin) {
    ApicDescription apic = host.machine().description().apic().orElseThrow();
    long first =
        apic.ioApics().stream()
            .filter(a -> a.apicId() == ioApic)
            .findFirst()
            .map(ApicDescription.IoApic::gsiBase)
            .orElseThrow();
    return apic.signal(first + pin);
  }

  /// {@return the number under which the controller of its messages tells of its interrupts}
  public int vector() {
    return wire.vector();
  }

  @Override
  public void close() {
    wire.disconnect();
  }
}
