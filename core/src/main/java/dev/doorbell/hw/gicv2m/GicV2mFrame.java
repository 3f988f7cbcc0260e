package dev.doorbell.hw.gicv2m;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import java.util.OptionalInt;

/// One frame as its driver finds it.
///
/// @param id the machine description's name, such as `gicv2m@0x8020000`
/// @param base where the frame lies
/// @param registers the frame's 4 KiB
/// @param spiBase first SPI where firmware tells; it then counts, and not MSI_TYPER
/// @param spiCount number of SPIs where firmware tells
public record GicV2mFrame(
    String id, Pa base, RegisterBus registers, OptionalInt spiBase, OptionalInt spiCount) {
  /// {@return a frame whose MSI_TYPER tells its SPIs}
  public static GicV2mFrame of(String id, Pa base, RegisterBus registers) {
    return new GicV2mFrame(id, base, registers, OptionalInt.empty(), OptionalInt.empty());
  }
}
