package dev.doorbell.hw.mpic;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.OptionalInt;

/// Tells what a bank of message interrupts does with a write. Immutable.
///
/// **Source**: Linux 6.12 `arch/powerpc/sysdev/fsl_msi.c`.
public final class MpicMsiWalker {
  private final String id;
  private final Pa doorbell;
  private final boolean wide;

  /// @param doorbell MSIIR, or MSIIR1 of a wide bank
  public MpicMsiWalker(String id, Pa doorbell, boolean wide) {
    this.id = id;
    this.doorbell = doorbell;
    this.wide = wide;
  }

  /// What became of a write.
  ///
  /// @param number the interrupt that it raises; empty when it raises none
  public record Arrival(Hop hop, OptionalInt number) {}

  /// {@return what becomes of a function's write}
  public Arrival arrive(Pa at, int data, Basis basis) {
    String name = wide ? "MSIIR1" : "MSIIR";
    String in = "write 0x%x to %s".formatted(Integer.toUnsignedLong(data), at);
    Source rule = Source.rule("Linux 6.12 fsl_msi.c, " + name);
    if (at.value() != doorbell.value()) {
      return new Arrival(
          new Hop(
              id,
              in,
              "dropped",
              "not the doorbell, which is %s at %s".formatted(name, doorbell),
              rule,
              basis),
          OptionalInt.empty());
    }
    int number = MpicMsiRegisters.named(MpicMsiRegisters.swapped(data), wide);
    return new Arrival(
        new Hop(
            id + " " + name,
            in,
            "interrupt %d".formatted(number),
            "MSIR %d, bit %d; any device that reaches the page can raise it"
                .formatted(
                    MpicMsiRegisters.register(number, wide), MpicMsiRegisters.bit(number, wide)),
            rule,
            basis),
        OptionalInt.of(number));
  }
}
