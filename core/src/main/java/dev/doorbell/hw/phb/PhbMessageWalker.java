package dev.doorbell.hw.phb;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.OptionalInt;

/// Tells what an IBM host bridge takes a write for. Immutable.
///
/// **Source**: skiboot `hw/phb4.c`, `hw/phb3.c`; the interrupt's owner: IODA, MIST (PHB4) and IVT (PHB3), field PE.
public final class PhbMessageWalker {
  private static final Source RULE =
      Source.rule("skiboot hw/phb4.c phb4_get_msi_64 and phb4_get_msi_32");

  private final String id;
  private final long first;
  private final int count;

  /// @param id the bridge's name
  /// @param first the global number of its interrupt 0
  /// @param count interrupts that are for messages
  public PhbMessageWalker(String id, long first, int count) {
    this.id = id;
    this.first = first;
    this.count = count;
  }

  /// What became of a message.
  ///
  /// @param number the interrupt of the bridge; empty when there is no such one
  public record Arrival(Hop hop, OptionalInt number) {}

  /// {@return what a message names}
  ///
  /// @param basis how the address and the datum are known
  public Arrival arrive(long address, int data, Basis basis) {
    String in = "write 0x%x to 0x%x".formatted(Integer.toUnsignedLong(data), address);
    int number = PhbMessageLayout.number(address, data);
    if (number >= count) {
      String why =
          "address and datum name interrupt %d, and %d are for messages".formatted(number, count);
      return new Arrival(new Hop(id, in, "dropped", why, RULE, basis), OptionalInt.empty());
    }
    return new Arrival(
        new Hop(
            id,
            in,
            "MSI number %d, global interrupt 0x%x".formatted(number, first + number),
            "bits 19:9 of the address and 4:0 of the datum are the number; the bridge lets it through when the writer's PE owns the interrupt",
            RULE,
            basis),
        OptionalInt.of(number));
  }
}
