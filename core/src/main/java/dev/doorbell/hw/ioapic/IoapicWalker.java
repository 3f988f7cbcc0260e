package dev.doorbell.hw.ioapic;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.Map;
import java.util.Optional;

/// Reads an I/O APIC's redirection table and tells which message a pin makes. Immutable.
///
/// **Source** Intel 82093AA 3.2.4; VT-d 4.1, 5.1.5.1.
public final class IoapicWalker {
  private final String id;
  private final Map<String, Long> registers;

  /// @param registers by name, entries as `IOREDTBL` and the pin's number
  public IoapicWalker(String id, Map<String, Long> registers) {
    this.id = id;
    this.registers = Map.copyOf(registers);
  }

  /// {@return what a pin's line becomes}
  public IoapicWalk walk(int pin) {
    String name = IoapicRegisters.ENTRIES.name() + pin;
    String in = "pin " + pin;
    Source source = Source.rule(name + " of " + id);
    Long entry = registers.get(name);
    if (entry == null) {
      return new IoapicWalk(
          new Hop(
              id,
              in,
              "cannot see",
              "cannot see %s of %s".formatted(name, id),
              source,
              Basis.UNSEEN),
          Optional.empty(),
          false);
    }
    long address = IoapicLayout.address(entry);
    int data = IoapicLayout.data(entry);
    return new IoapicWalk(
        new Hop(
            id,
            in,
            "write of 0x%x to 0x%x".formatted(data, address),
            why(entry),
            source,
            Basis.OBSERVED),
        Optional.of(new IoapicWalk.Message(address, data)),
        IoapicLayout.MASK.isSet(entry));
  }

  private static String why(long entry) {
    String how =
        "%s, %s%s"
            .formatted(
                IoapicLayout.TRIGGER.isSet(entry) ? "level" : "edge",
                IoapicLayout.POLARITY.isSet(entry) ? "active low" : "active high",
                IoapicLayout.MASK.isSet(entry) ? ", masked" : "");
    return IoapicLayout.FORMAT.isSet(entry)
        ? "remappable format, interrupt_index 0x%x: %s"
            .formatted(IoapicLayout.INDEX.get(entry), how)
        : "vector field 0x%x, delivery mode %d, destination 0x%x: %s"
            .formatted(
                IoapicLayout.VECTOR.get(entry),
                IoapicLayout.DELIVERY_MODE.getInt(entry),
                IoapicLayout.DESTINATION.get(entry),
                how);
  }
}
