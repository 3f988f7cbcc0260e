package dev.doorbell.hw.gicv3;

import java.util.List;

/// What a modelled GICv3 has.
///
/// @param cpus its processors, in the order of their processor numbers; a machine lists them in firmware's order, which is how
///     [dev.doorbell.bus.CpuInterface] numbers them
/// @param spis SPIs from INTID 32, a multiple of 32, at most 992 (the last four of 992 do not exist)
/// @param idBits bits of an INTID, 14 to 24
/// @param priorityBits bits of a priority, 4 to 8; the lower ones read as zero
/// @param messageSpis whether GICD_SETSPI_NSR raises SPIs (GICD_TYPER.MBIS)
public record GicV3Config(
    List<Cpu> cpus, int spis, int idBits, int priorityBits, boolean messageSpis) {
  /// One processor.
  ///
  /// @param mpidr affinity, as MPIDR_EL1 prints it
  /// @param redistributor physical address of its RD frame
  public record Cpu(long mpidr, long redistributor) {}

  public GicV3Config {
    cpus = List.copyOf(cpus);
    if (cpus.isEmpty()
        || spis < 0
        || spis > 992
        || spis % 32 != 0
        || idBits < LpiTables.MIN_ID_BITS
        || idBits > LpiTables.MAX_ID_BITS
        || priorityBits < 4
        || priorityBits > 8) {
      throw new IllegalArgumentException(
          "no GICv3 has %d processors, %d SPIs, %d INTID bits and %d priority bits"
              .formatted(cpus.size(), spis, idBits, priorityBits));
    }
  }

  /// {@return a GIC with 256 SPIs, 16 INTID bits and 5 priority bits, and its Redistributors in one row}
  public static GicV3Config of(List<Long> mpidrs, long redistributors) {
    List<Cpu> cpus =
        java.util.stream.IntStream.range(0, mpidrs.size())
            .mapToObj(i -> new Cpu(mpidrs.get(i), redistributors + i * GicrRegisters.BYTES))
            .toList();
    return new GicV3Config(cpus, 256, 16, 5, false);
  }
}
