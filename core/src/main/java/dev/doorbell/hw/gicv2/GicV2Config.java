package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;

/// What a modelled GICv2 has.
///
/// @param cpus 1 to 8
/// @param spis a multiple of 32, up to 992; the last four INTIDs of 1024 do not exist
/// @param priorityBits implemented bits of a priority, 4 to 8
public record GicV2Config(int cpus, int spis, int priorityBits) {
  public GicV2Config {
    if (cpus < 1 || cpus > MOST_CPUS) {
      throw new IllegalArgumentException("a GICv2 with %d CPUs; it has 1 to 8".formatted(cpus));
    }
    if (spis < 0 || spis % 32 != 0 || spis > 992) {
      throw new IllegalArgumentException(
          "a GICv2 with %d SPIs; it has a multiple of 32 up to 992".formatted(spis));
    }
    if (priorityBits < 4 || priorityBits > 8) {
      throw new IllegalArgumentException(
          "a GICv2 with %d priority bits; it has 4 to 8".formatted(priorityBits));
    }
  }

  /// {@return one past the last INTID}
  int limit() {
    return Math.min(SPI_LIMIT, FIRST_SPI + spis);
  }
}
