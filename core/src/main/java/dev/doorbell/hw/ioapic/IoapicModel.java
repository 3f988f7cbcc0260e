package dev.doorbell.hw.ioapic;

import static dev.doorbell.hw.ioapic.IoapicRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// An I/O APIC. A pin's message goes out when its line rises (edge), or while it is active and no message before it is unanswered (level).
///
/// What happens at a masked pin is not kept: an edge there is lost, and a line that is still active when a level-triggered pin is unmasked is sent
/// then. Safe for use from many threads; messages leave with the lock held.
///
/// **Source** Intel 82093AA 3.2.4; ICH9 13.5.1 (EOI), 13.5.7.
public final class IoapicModel implements MmioDevice {
  /// The most pins that an index reaches.
  public static final int MOST_PINS = MOST_ENTRIES;

  /// Where messages go: into the IOMMU that remaps them, or to the local APICs.
  @FunctionalInterface
  public interface Messages {
    /// {@return whether somebody took it}
    boolean send(long address, int data);
  }

  private final Messages messages;
  private final long[] entries;
  private final BitSet lines = new BitSet();
  private final ReentrantLock lock = new ReentrantLock();
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final RegisterPorts indexed = new RegisterPorts(INDEXED);
  private long select;
  private long id;

  /// @param pins 1 to 120
  public IoapicModel(int pins, Messages messages) {
    if (pins < 1 || pins > MOST_ENTRIES) {
      throw new IllegalArgumentException(
          "an I/O APIC has 1 to %d pins, not %d".formatted(MOST_ENTRIES, pins));
    }
    this.messages = messages;
    entries = new long[pins];
    Arrays.fill(entries, IoapicRegisters.reset());
    indexed.on(ID, _ -> id, (_, v) -> id = ID.legalize(id, v));
    indexed.on(VERSION, _ -> VERSION_VALUE.place(VERSION_WITH_EOI) | LAST_ENTRY.place(pins - 1L));
    indexed.on(ARBITRATION, _ -> ARBITRATION_ID.place(ID_VALUE.get(id)));
    indexed.on(ENTRIES, pin -> pin < pins ? entries[pin] : 0, this::entry);
    ports.on(SELECT, _ -> select, (_, v) -> select = SELECT.legalize(select, v));
    ports.on(WINDOW, _ -> indexed.read(selected(), BYTES_PER_INDEX), (_, v) -> window(v));
    ports.on(EOI, _ -> 0, (_, v) -> endOfInterrupt(EOI_VECTOR.getInt(v)));
  }

  private long selected() {
    return INDEX.get(select) * BYTES_PER_INDEX;
  }

  private void window(long value) {
    indexed.write(selected(), value, BYTES_PER_INDEX);
  }

  private void entry(int pin, long value) {
    if (pin >= entries.length) {
      return;
    }
    long next = ENTRIES.legalize(entries[pin], value);
    // An edge-triggered pin waits for no answer.
    entries[pin] = IoapicLayout.TRIGGER.isSet(next) ? next : IoapicLayout.REMOTE_IRR.with(next, 0);
    follow(pin);
  }

  private void endOfInterrupt(int vector) {
    for (int pin = 0; pin < entries.length; pin++) {
      long entry = entries[pin];
      if (IoapicLayout.REMOTE_IRR.isSet(entry) && IoapicLayout.VECTOR.getInt(entry) == vector) {
        entries[pin] = IoapicLayout.REMOTE_IRR.with(entry, 0);
        follow(pin);
      }
    }
  }

  /// Sends what a level-triggered pin has to say.
  private void follow(int pin) {
    long entry = entries[pin];
    if (IoapicLayout.TRIGGER.isSet(entry)
        && isActive(pin)
        && !IoapicLayout.MASK.isSet(entry)
        && !IoapicLayout.REMOTE_IRR.isSet(entry)
        && messages.send(IoapicLayout.address(entry), IoapicLayout.data(entry))) {
      entries[pin] = IoapicLayout.REMOTE_IRR.with(entry, 1);
    }
  }

  private boolean isActive(int pin) {
    return lines.get(pin) != IoapicLayout.POLARITY.isSet(entries[pin]);
  }

  /// Drives the line of a pin.
  ///
  /// @throws IndexOutOfBoundsException when there is no such pin
  public void drive(int pin, boolean high) {
    if (pin < 0 || pin >= entries.length) {
      throw new IndexOutOfBoundsException(
          "the I/O APIC has %d pins and no pin %d".formatted(entries.length, pin));
    }
    lock.lock();
    try {
      boolean was = isActive(pin);
      lines.set(pin, high);
      long entry = entries[pin];
      if (IoapicLayout.TRIGGER.isSet(entry)) {
        follow(pin);
      } else if (!was && isActive(pin) && !IoapicLayout.MASK.isSet(entry)) {
        messages.send(IoapicLayout.address(entry), IoapicLayout.data(entry));
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (bytes != Integer.BYTES || !ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    lock.lock();
    try {
      return BusRead.ok(ports.read(offset, bytes));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (bytes != Integer.BYTES || !ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    lock.lock();
    try {
      ports.write(offset, value, bytes);
    } finally {
      lock.unlock();
    }
    return BusOutcome.OK;
  }
}
