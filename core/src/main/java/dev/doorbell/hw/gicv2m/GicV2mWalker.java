package dev.doorbell.hw.gicv2m;

import static dev.doorbell.hw.gicv2m.GicV2mRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Tells what a GICv2m frame does with a write, from registers that somebody recorded.
///
/// **Source**: ARM DEN 0029 v2.2 (Server Base System Architecture), pages 35 to 39, as QEMU's `hw/intc/arm_gicv2m.c` cites it.
public final class GicV2mWalker {
  private static final String FRAME = "MSI_SETSPI_NS";

  /// What firmware tells of the SPIs.
  private record Told(OptionalInt base, OptionalInt count) {
    boolean all() {
      return base.isPresent() && count.isPresent();
    }

    boolean some() {
      return base.isPresent() || count.isPresent();
    }
  }

  private final String id;
  private final Pa base;
  private final Map<String, Long> registers;
  private final Told told;
  private final Basis basis;

  /// @param id the frame's name
  /// @param base where it lies
  /// @param registers by the manual's names: `MSI_TYPER`, `MSI_IIDR`; missing ones cannot be seen
  /// @param basis how the registers are known
  public GicV2mWalker(String id, Pa base, Map<String, Long> registers, Basis basis) {
    this(id, base, registers, new Told(OptionalInt.empty(), OptionalInt.empty()), basis);
  }

  private GicV2mWalker(String id, Pa base, Map<String, Long> registers, Told told, Basis basis) {
    this.id = id;
    this.base = base;
    this.registers = Map.copyOf(registers);
    this.told = told;
    this.basis = basis;
  }

  /// {@return this walker with what firmware says of the frame's SPIs, which then counts, and not MSI_TYPER}
  public GicV2mWalker withFirmware(OptionalInt spiBase, OptionalInt spiCount) {
    return new GicV2mWalker(id, base, registers, new Told(spiBase, spiCount), basis);
  }

  /// {@return what becomes of a write}
  ///
  /// @param at where it arrives, after translation
  /// @param data the datum, of 16 or 32 bits
  public GicV2mWalk walk(Pa at, int data) {
    String in = "write of 0x%x to %s".formatted(Integer.toUnsignedLong(data), at);
    if (at.value() != base.value() + SETSPI_NS.offset()) {
      return ended(
          GicV2mWalk.Outcome.DROPPED,
          new Hop(
              id,
              in,
              "dropped",
              "not the doorbell, which is MSI_SETSPI_NS at " + base.plus(SETSPI_NS.offset()),
              Source.rule("ARM DEN 0029 GICv2m MSI_SETSPI_NS"),
              basis));
    }
    Long typer = registers.get("MSI_TYPER");
    if (typer == null && !told.all()) {
      return ended(
          GicV2mWalk.Outcome.CANNOT_SEE,
          hop(in, "cannot see", "MSI_TYPER was not recorded, so the frame's SPIs are not known"));
    }
    int first = told.base().orElseGet(() -> SPI_BASE.getInt(orZero(typer)));
    int count = told.count().orElseGet(() -> SPI_COUNT.getInt(orZero(typer)));
    String has = "the frame has SPIs %d to %d: %s".formatted(first, first + count - 1, why(typer));
    int offset = GicV2mErrata.spiOffset(registers.getOrDefault("MSI_IIDR", 0L), first);
    int intid = SPI.getInt(Integer.toUnsignedLong(data)) + offset;
    if (intid < first || intid >= first + count) {
      return ended(
          GicV2mWalk.Outcome.DROPPED,
          hop(in, "dropped", "SPI %d is not one of them; %s".formatted(intid, has)));
    }
    return new GicV2mWalk(
        List.of(hop(in, "SPI " + intid, has + "; any device that reaches the frame can raise it")),
        OptionalInt.of(intid),
        GicV2mWalk.Outcome.RAISED);
  }

  private static long orZero(@Nullable Long register) {
    return register == null ? 0 : register;
  }

  private String why(@Nullable Long typer) {
    String firmware = told.some() ? "firmware says so" : "";
    String read =
        typer == null ? "" : "MSI_TYPER 0x%x %s".formatted(typer, fields(TYPER_LAYOUT, typer));
    return firmware.isEmpty() ? read : read.isEmpty() ? firmware : firmware + ", over " + read;
  }

  private Hop hop(String in, String out, String why) {
    String where = told.some() ? "firmware and MSI_TYPER of " : "MSI_TYPER of ";
    return new Hop(id + " " + FRAME, in, out, why, Source.rule(where + id), basis);
  }

  private static GicV2mWalk ended(GicV2mWalk.Outcome outcome, Hop hop) {
    return new GicV2mWalk(List.of(hop), OptionalInt.empty(), outcome);
  }

  private static String fields(Layout layout, long word) {
    return layout.decode(word).stream().map(Decoded::toString).collect(Collectors.joining(" "));
  }
}
