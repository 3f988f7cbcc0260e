package dev.doorbell.hw.ioapic;

import static dev.doorbell.hw.ioapic.IoapicRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.Signal;
import dev.doorbell.irq.Wire;
import dev.doorbell.irq.Wires;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// Drives one I/O APIC. Its pins are devices to whatever takes its messages: each that is connected has a vector of a controller, and an entry
/// that makes the vector's message.
///
/// Safe for use from many threads; its lock is taken before the controller's.
///
/// **Source** Intel 82093AA 3.2; VT-d 4.1, 5.1.5.1; Linux 6.12 `arch/x86/kernel/apic/io_apic.c` for the order of the halves of an entry.
public final class IoapicDriver {
  private final String id;
  private final RegisterBus registers;
  private final int pins;
  private final boolean answers;
  private final ReentrantLock lock = new ReentrantLock();
  private final Wires wires;

  private IoapicDriver(String id, RegisterBus registers, MsiController controller, int sourceId) {
    this.id = id;
    this.registers = registers;
    wires = new Wires(controller, sourceId, lock);
    long version = get(VERSION.offset());
    pins = Math.min(LAST_ENTRY.getInt(version) + 1, MOST_ENTRIES);
    answers = VERSION_VALUE.getInt(version) >= VERSION_WITH_EOI;
    for (int pin = 0; pin < pins; pin++) {
      put(pin, IoapicRegisters.reset());
    }
  }

  /// {@return the driver of an I/O APIC, all of whose pins it has masked}
  ///
  /// @param controller where its messages end: local APICs behind what remaps them
  /// @param sourceId the requester id that its messages carry
  public static IoapicDriver open(
      String id, RegisterBus registers, MsiController controller, int sourceId) {
    return new IoapicDriver(id, registers, controller, sourceId);
  }

  public String id() {
    return id;
  }

  public int pins() {
    return pins;
  }

  /// {@return whether it has what answers a level-triggered pin}
  public boolean answersLevels() {
    return answers;
  }

  /// {@return where its messages end}
  public MsiController controller() {
    return wires.controller();
  }

  /// Gives a pin a vector, and lets it through.
  ///
  /// @throws dev.doorbell.irq.IrqException when there is no vector; nothing is changed then
  /// @throws IndexOutOfBoundsException when there is no such pin
  /// @throws IllegalArgumentException when an I/O APIC without an EOI register is asked for a level: its answer is a
  ///   broadcast of the local APICs', which no remapped interrupt makes
  /// @throws IllegalStateException when the pin has one
  public Pin connect(int pin, Signal signal, int cpu) {
    if (pin < 0 || pin >= pins) {
      throw new IndexOutOfBoundsException("%s has %d pins and no pin %d".formatted(id, pins, pin));
    }
    if (!answers && signal.isLevel()) {
      throw new IllegalArgumentException(
          "%s has no EOI register, which pin %d needs to be level-triggered".formatted(id, pin));
    }
    return wires.connect("pin %d of %s".formatted(pin, id), cpu, end -> new Pin(pin, signal, end));
  }

  /// A connected pin.
  public final class Pin extends Wire {
    private final int number;
    private final Signal signal;
    private boolean masked;

    private Pin(int number, Signal signal, End end) {
      super(end);
      this.number = number;
      this.signal = signal;
    }

    public int number() {
      return number;
    }

    /// Tells the I/O APIC that an interrupt was served. A level-triggered pin is silent until then.
    public void served() {
      change(() -> {
        if (answers) {
          set(EOI.offset(), IoapicLayout.VECTOR.get(message()));
        }
      });
    }

    /// Holds the pin back, or lets it through; edges at a masked pin are lost.
    public void mask(boolean hold) {
      change(() -> {
        masked = hold;
        program();
      });
    }

    @Override
    protected long message() {
      return IoapicLayout.entry(vector.doorbell(0), vector.data(0), number)
          | IoapicLayout.POLARITY.place(signal.isLow() ? 1 : 0)
          | IoapicLayout.TRIGGER.place(signal.isLevel() ? 1 : 0);
    }

    /// The pin is masked while its entry changes, and edges then are lost.
    @Override
    protected void program() {
      put(number, IoapicLayout.MASK.with(message(), masked ? 1 : 0));
    }

    @Override
    protected void silence() {
      put(number, IoapicRegisters.reset());
    }
  }

  /// Writes an entry: the half with the mask bit first when it masks, and last when it does not, so that no message is made of two entries.
  private void put(int pin, long entry) {
    long at = ENTRIES.offset(pin);
    write(at, IoapicRegisters.reset());
    write(at + BYTES_PER_INDEX, entry >>> Integer.SIZE);
    write(at, entry);
  }

  private long get(long indexed) {
    set(SELECT.offset(), indexed / BYTES_PER_INDEX);
    return Integer.toUnsignedLong(registers.read32(WINDOW.offset()));
  }

  private void write(long indexed, long value) {
    set(SELECT.offset(), indexed / BYTES_PER_INDEX);
    set(WINDOW.offset(), value);
  }

  private void set(long offset, long value) {
    registers.write32(offset, (int) value);
  }

  /// {@return the entries as they stand, by name: what a walker reads}
  public Map<String, Long> entries() {
    lock.lock();
    try {
      Map<String, Long> out = new HashMap<>();
      for (int pin = 0; pin < pins; pin++) {
        long at = ENTRIES.offset(pin);
        out.put(ENTRIES.name() + pin, get(at) | get(at + BYTES_PER_INDEX) << Integer.SIZE);
      }
      return out;
    } finally {
      lock.unlock();
    }
  }
}
