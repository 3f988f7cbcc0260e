package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import java.util.ArrayList;
import java.util.List;

/// A GICv2 that behaves as the architecture says, without Security Extensions and virtualisation. Register accesses and interrupts take effect
/// before the access or the call returns.
///
/// Registers are banked: each processor has a window of its own onto the Distributor and its own CPU interface. A bus that does not tell
/// processors apart shows those of processor 0.
///
/// **Source**: IHI 0048B.b. Left out: Security Extensions, GICH and GICV, interrupt bypass, the FIQ and IRQ wires (`docs/caveats.md`).
public final class GicV2Model implements CpuInterface {
  private final GicV2Config config;
  private final DistributorModel.Shared shared;
  private final List<DistributorModel> distributors = new ArrayList<>();
  private final List<CpuInterfaceModel> interfaces = new ArrayList<>();

  public GicV2Model(GicV2Config config) {
    this.config = config;
    this.shared = new DistributorModel.Shared(config);
    for (int cpu = 0; cpu < config.cpus(); cpu++) {
      distributors.add(new DistributorModel(shared, cpu));
      interfaces.add(new CpuInterfaceModel(shared, cpu));
    }
  }

  /// {@return the Distributor's registers as a processor sees them, 4 KiB}
  public MmioDevice distributor(int cpu) {
    return distributors.get(cpu);
  }

  /// {@return a processor's CPU interface registers, 8 KiB}
  public MmioDevice cpuInterface(int cpu) {
    return interfaces.get(cpu);
  }

  /// {@return the wire of an SPI}
  ///
  /// @throws IllegalArgumentException when the GIC has no such SPI
  public InterruptLine spi(int intid) {
    if (intid < FIRST_SPI || intid >= config.limit()) {
      throw new IllegalArgumentException(
          "the GIC has SPIs 32 to %d and not %d".formatted(config.limit() - 1, intid));
    }
    return line(0, intid);
  }

  /// {@return the wire of a processor's PPI}
  ///
  /// @throws IllegalArgumentException when it is not 16 to 31
  public InterruptLine ppi(int cpu, int intid) {
    if (intid < FIRST_PPI || intid >= FIRST_SPI || cpu < 0 || cpu >= config.cpus()) {
      throw new IllegalArgumentException(
          "the GIC has PPIs 16 to 31 of CPUs 0 to %d and not %d of %d"
              .formatted(config.cpus() - 1, intid, cpu));
    }
    return line(cpu, intid);
  }

  private InterruptLine line(int cpu, int intid) {
    return level -> {
      synchronized (shared) {
        shared.states.drive(cpu, intid, level);
      }
    };
  }

  /// Opens every CPU interface as an operating system does on each of its processors: both groups on, taken through GICC_IAR, no
  /// priority masked. For machines that run no code on them.
  public void openCpuInterfaces() {
    for (int cpu = 0; cpu < config.cpus(); cpu++) {
      synchronized (shared) {
        interfaces.get(cpu).open();
      }
    }
  }

  @Override
  public int cpus() {
    return config.cpus();
  }

  /// As a processor does that reads GICC_IAR and, when that says so, GICC_AIAR.
  @Override
  public int acknowledge(int cpu) {
    synchronized (shared) {
      long answer = interfaces.get(cpu).acknowledge(false);
      if (GiccRegisters.INTERRUPT_ID.get(answer) == GiccRegisters.GROUP1_WAITS) {
        answer = interfaces.get(cpu).acknowledge(true);
      }
      int intid = GiccRegisters.INTERRUPT_ID.getInt(answer);
      return intid >= SPI_LIMIT ? NONE : intid;
    }
  }

  @Override
  public void endOfInterrupt(int cpu, int intid) {
    synchronized (shared) {
      interfaces.get(cpu).endOfInterrupt(GiccRegisters.INTERRUPT_ID.place(intid));
    }
  }
}
